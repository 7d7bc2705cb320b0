"""Reading a batch. All accounts share the gateway's key at the model server, so an account may read only the batches
that the usage log attributes to it."""

from starlette.requests import Request
from starlette.responses import Response

from gateway.model_server.client import read_body, response_problem
from gateway.problems import OpenAiProblem, problem_code
from gateway.relay.ledger import Caller
from gateway.relay.model_response import BATCH_ID, batch_status, relay_response
from gateway.relay.process_client import ParserFailed
from gateway.relay.relay import Relay
from gateway.relay.request import BATCHES
from gateway.site_view import SiteView
from store.errors import GatekeyError


class Batches:
    """`GET /v1/batches/{batch_id}`."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def read(self, request: Request) -> Response:
        """Return the batch from the model server, and update its status in the usage log.

        The status stays as it is if the parser process fails: the next call updates it.
        """
        relay = self._relay
        caller, site = await relay.callers.accept_bodiless(request)
        name, account_id = request.path_params["batch_id"], caller.holder.account_id
        usage = relay.services.store.usage
        if not BATCH_ID.fullmatch(name) or not await relay.services.threads.read(
            lambda: usage.has_task(account_id, name)
        ):
            raise OpenAiProblem(404, "There is no batch of that name.", param="batch_id", code="not_found")
        try:
            content = await self._ask(site, name, caller)
            facts = await relay.responses.facts(content, account_id, has_completion=False)
            status, _ = batch_status(facts, site)
        except ParserFailed:
            return await relay_response(content, site.upstream_key, caller.request_id)
        except GatekeyError as error:
            await relay.ledger.log_refusal(caller, BATCHES.model, error, problem_code(error))
            raise
        await relay.services.threads.write(lambda tx: usage.note_task_status(tx, account_id, name, status))
        return await relay_response(content, site.upstream_key, caller.request_id)

    async def _ask(self, site: SiteView, name: str, caller: Caller) -> bytearray:
        path = f"{BATCHES.path}/{name}"
        answer = await self._relay.model_server.send(site, "GET", path, request_id=caller.request_id)
        try:
            if not answer.is_success:
                raise await response_problem(answer, site, client_statuses=(400, 404, 429))
            return await read_body(answer)
        finally:
            await answer.aclose()
