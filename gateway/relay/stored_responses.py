"""Responses that are stored at the model server. All accounts share the gateway's key there, so an account reaches only
those that the store attributes to it. Making one is a call like any other (`gateway.relay.endpoints.RESPONSES`)."""

import asyncio
from contextlib import suppress
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from gateway.model_server.client import MAX_CALL_S, connection_problem, read_body, response_problem
from gateway.problems import OpenAiProblem, problem_code
from gateway.relay.ledger import Caller
from gateway.relay.model_response import relay_response
from gateway.relay.relay import Relay
from gateway.relay.responses_request import RESPONSE_ID
from gateway.site_view import SiteView
from store.errors import GatekeyError, NoSuchItem

_PATH: Final = "/responses"
_MAX_LISTED: Final = 100
_CLIENT_STATUSES: Final = (400, 404, 409, 429)


class StoredResponses:
    """`GET` and `DELETE /v1/responses/{response_id}`, and `GET /v1/responses/{response_id}/input_items`."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._store = relay.services.store

    async def read(self, request: Request) -> Response:
        """The response, as the model server has it. Raises `OpenAiProblem` 400, and 404 for another account's."""
        if request.query_params.get("stream", "false") != "false":
            raise OpenAiProblem(400, "A stored response is read as a whole. Leave stream out.", param="stream")
        caller, site, name = await self._accept(request)
        return await self._answer(await self._ask(site, "GET", f"/{name}", caller), site, caller)

    async def input_items(self, request: Request) -> Response:
        """The input of the response. Raises `OpenAiProblem` 400, and 404 for another account's."""
        query = request.query_params
        limit, order, after = query.get("limit", "20"), query.get("order", "desc"), query.get("after")
        if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit[:9]) <= _MAX_LISTED:
            raise OpenAiProblem(400, f"limit is a whole number from 1 to {_MAX_LISTED}.", param="limit")
        if order not in ("asc", "desc"):
            raise OpenAiProblem(400, "order is asc or desc.", param="order")
        if after is not None and not RESPONSE_ID.fullmatch(after):
            raise OpenAiProblem(400, "after is the id of an item.", param="after")
        caller, site, name = await self._accept(request)
        parameters = urlencode({"limit": limit, "order": order, **({"after": after} if after else {})})
        content = await self._ask(site, "GET", f"/{name}/input_items?{parameters}", caller)
        return await self._answer(content, site, caller)

    async def delete(self, request: Request) -> Response:
        """Delete the response at the model server, and forget it.

        Raises `OpenAiProblem` 404 for another account's, and for one that is not there any more: it is forgotten too.
        """
        caller, site, name = await self._accept(request)
        try:
            content = await self._ask(site, "DELETE", f"/{name}", caller)
        except OpenAiProblem as error:
            if error.status == 404:
                await self._forget(caller, name)
            raise
        await self._forget(caller, name)
        return await self._answer(content, site, caller)

    async def _forget(self, caller: Caller, name: str) -> None:
        account_id = caller.holder.account_id
        with suppress(NoSuchItem):  # another request has deleted it too
            await self._relay.services.threads.write(
                lambda tx: self._store.stored_responses.forget(tx, account_id, name)
            )

    async def _accept(self, request: Request) -> tuple[Caller, SiteView, str]:
        caller, site = await self._relay.callers.accept_bodiless(request)
        name, account_id = request.path_params["response_id"], caller.holder.account_id

        def check() -> None:
            with self._store.database.read() as tx:
                self._store.stored_responses.tokens(tx, account_id, name)

        try:
            if not RESPONSE_ID.fullmatch(name):
                raise NoSuchItem
            await self._relay.services.threads.read(check)
        except NoSuchItem as error:
            sentence = "There is no response of that name, or it was not stored."
            raise OpenAiProblem(404, sentence, param="response_id", code="not_found") from error
        return caller, site, name

    async def _ask(self, site: SiteView, method: str, path: str, caller: Caller) -> bytearray:
        try:
            with self._relay.concurrency.slot(caller.holder.account_id):
                return await self._read(site, method, path, caller.request_id)
        except GatekeyError as error:
            await self._relay.ledger.log_refusal(caller, "", error, problem_code(error))
            raise

    async def _read(self, site: SiteView, method: str, path: str, request_id: str) -> bytearray:
        try:
            async with asyncio.timeout(MAX_CALL_S):
                answer = await self._relay.model_server.send(site, method, _PATH + path, request_id=request_id)
                try:
                    if not answer.is_success:
                        raise await response_problem(answer, site, client_statuses=_CLIENT_STATUSES)
                    return await read_body(answer)
                finally:
                    await answer.aclose()
        except TimeoutError as error:
            raise connection_problem(error) from error

    async def _answer(self, content: bytearray, site: SiteView, caller: Caller) -> Response:
        return await relay_response(content, site.upstream_key, caller.request_id)
