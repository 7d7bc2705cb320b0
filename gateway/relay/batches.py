"""Batches. All accounts share the gateway's key at the model server, so an account reaches only the batches that the
usage log attributes to it. Creating one is a call like any other (`gateway.relay.request.BATCHES`)."""

import asyncio
import json
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from gateway.model_server.client import read_body, response_problem
from gateway.problems import OpenAiProblem, problem_code
from gateway.relay.endpoints import BATCHES
from gateway.relay.files import PURPOSE_OF_OUTPUT
from gateway.relay.ledger import Caller
from gateway.relay.model_response import BATCH_ID, batch_status, relay_response
from gateway.relay.process_client import ParserFailed
from gateway.relay.relay import Relay
from gateway.relay.response_facts import ResponseFacts, parse_object, response_facts
from gateway.site_view import SiteView
from store.errors import GatekeyError, NoSuchItem, UpstreamFailed
from store.values.usage import CANCEL_MODEL, Kind

MAX_LISTED: Final = 100
_MAX_AT_ONCE: Final = 4
"""Batches of one list that the model server is asked for at once."""
_MAX_LISTED_BYTES: Final = 64 * 1024
"""Bytes of one batch of a list. A longer one has many errors; it is listed without them, and is read alone."""
_CLIENT_STATUSES: Final = (400, 404, 409, 429)


class _Found(NamedTuple):
    """One batch of a list."""

    name: str
    status: str
    facts: ResponseFacts | None
    """None if the model server's description could not be read."""
    text: str | None
    """The batch in JSON; None if it holds what cannot be written, such as `NaN`."""


class Batches:
    """`GET /v1/batches`, `GET /v1/batches/{batch_id}` and `POST /v1/batches/{batch_id}/cancel`."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._store = relay.services.store

    async def list_all(self, request: Request) -> Response:
        """The account's batches, newest first, each as the model server describes it now. Updates their entries.

        One whose description is too long is listed by its id and the last state that the log has. Raises
        `OpenAiProblem` 400 for a parameter that does not fit, and 404 for an unknown `after`.
        """
        caller, site = await self._relay.callers.accept_bodiless(request, BATCHES.model)
        limit, after = request.query_params.get("limit", "20"), request.query_params.get("after")
        if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit[:9]) <= MAX_LISTED:
            raise OpenAiProblem(400, f"limit is a whole number from 1 to {MAX_LISTED}.", param="limit")
        account_id, count = caller.holder.account_id, int(limit[:9])
        if after is not None:
            await self._check_owner(account_id, after)
        states = await self._relay.services.threads.read(
            lambda: self._store.usage.task_states(account_id, BATCHES.model, after=after, limit=count + 1)
        )
        names = [name for name, _ in states]
        turn = asyncio.Semaphore(_MAX_AT_ONCE)

        async def find(name: str, status: str) -> _Found | None:
            async with turn:
                return await self._found(site, name, status, caller)

        found = [
            batch for batch in await asyncio.gather(*(find(*state) for state in states[:count])) if batch is not None
        ]

        def note(tx: Connection) -> None:
            for batch in found:
                if batch.facts is not None:
                    self._note(tx, account_id, batch.name, batch.status, batch.facts)

        if found:
            await self._relay.services.threads.write(note)
        ends = {
            "object": "list",
            "first_id": names[0] if names else None,
            "last_id": names[:count][-1] if names else None,
            "has_more": len(names) > count,
        }
        data = ",".join(batch.text for batch in found if batch.text is not None)
        content = f'{json.dumps(ends)[:-1]},"data":[{data}]}}'
        return Response(content, media_type="application/json", headers={"X-Request-Id": caller.request_id})

    async def read(self, request: Request) -> Response:
        """Return the batch from the model server, and update its entry in the usage log.

        The entry stays as it is if the parser process fails: the next call updates it.
        """
        return await self._pass_on(request, "GET", "")

    async def cancel(self, request: Request) -> Response:
        """Cancel the batch at the model server, which goes on with what it has begun. Updates its entry like `read`.

        The cancellation is logged as a task of its own.
        """
        return await self._pass_on(request, "POST", "/cancel")

    async def _pass_on(self, request: Request, method: str, act: str) -> Response:
        relay = self._relay
        caller, site = await relay.callers.accept_bodiless(request, BATCHES.model)
        name, account_id = request.path_params["batch_id"], caller.holder.account_id
        await self._check_owner(account_id, name)
        try:
            content = await self._ask(site, method, f"{BATCHES.path}/{name}{act}", caller)
            facts = await relay.responses.facts(content, account_id, has_completion=False)
            status, _ = batch_status(facts, site)
        except ParserFailed:
            return await relay_response(content, site.upstream_key, caller.request_id)
        except GatekeyError as error:
            await relay.ledger.log_refusal(caller, BATCHES.model, error, problem_code(error))
            raise

        def note(tx: Connection) -> None:
            self._note(tx, account_id, name, status, facts)
            if act:
                entry = caller.entry(Kind.TASK, CANCEL_MODEL, status=status, detail=name)
                self._store.usage.append(tx, account_id, entry)

        await relay.services.threads.write(note)
        return await relay_response(content, site.upstream_key, caller.request_id)

    def _note(self, tx: Connection, account_id: int, name: str, status: str, facts: ResponseFacts) -> None:
        """Update the entry of a batch, and note that the files it wrote belong to the account."""
        self._store.usage.note_task_status(tx, account_id, name, status, done=facts.done, total=facts.total)
        for file_id in facts.files:
            if not BATCH_ID.fullmatch(file_id):
                continue
            try:
                self._store.relay_files.register(
                    tx, account_id, file_id, filename=f"{name}.jsonl", purpose=PURPOSE_OF_OUTPUT, task_id=name
                )
            except NoSuchItem:
                continue  # it is another account's, whatever the model server says

    async def _check_owner(self, account_id: int, name: str) -> None:
        """Raise `OpenAiProblem` 404 for another account's batch."""
        usage = self._store.usage
        if not BATCH_ID.fullmatch(name) or not await self._relay.services.threads.read(
            lambda: usage.has_task(account_id, name)
        ):
            raise OpenAiProblem(404, "There is no batch of that name.", param="batch_id", code="not_found")

    async def _found(self, site: SiteView, name: str, status: str, caller: Caller) -> _Found | None:
        """One batch of a list, whose last known state is `status`; None if the model server does not know it any more,
        or describes no batch.
        """
        try:
            content = await self._ask(site, "GET", f"{BATCHES.path}/{name}", caller, limit=_MAX_LISTED_BYTES)
        except UpstreamFailed:
            return _Found(name, status, None, json.dumps({"id": name, "object": "batch", "status": status}))
        except OpenAiProblem as error:
            if error.status == 404:
                return None
            raise
        secret = site.upstream_key.encode()
        try:
            batch = parse_object(content.replace(secret, b"...") if secret else content)
            facts = response_facts(batch, has_completion=False)
            return _Found(name, batch_status(facts, site)[0], facts, _written(batch))
        except UpstreamFailed:
            return None

    async def _ask(
        self, site: SiteView, method: str, path: str, caller: Caller, *, limit: int | None = None
    ) -> bytearray:
        answer = await self._relay.model_server.send(site, method, path, request_id=caller.request_id)
        try:
            if not answer.is_success:
                raise await response_problem(answer, site, client_statuses=_CLIENT_STATUSES)
            return await (read_body(answer) if limit is None else read_body(answer, limit))
        finally:
            await answer.aclose()


def _written(batch: dict[str, Any]) -> str | None:
    """`batch` as JSON in ASCII, so that a lone surrogate is escaped; None if it is too deep, or holds `NaN`."""
    try:
        return json.dumps(batch, allow_nan=False)
    except (ValueError, RecursionError):
        return None
