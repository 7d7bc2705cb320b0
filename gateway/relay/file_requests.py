"""Requests to the model server about files. A failure of one is logged as a refused call of the account."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx

from gateway.model_server.client import read_body, response_problem
from gateway.problems import problem_code
from gateway.relay.ledger import Caller
from gateway.relay.relay import Relay
from gateway.site_view import SiteView
from store.errors import GatekeyError, UpstreamFailed
from store.values.usage import FILE_MODEL

FILES_PATH: Final = "/files"
MAX_ANSWER_BYTES: Final = 64 * 1024
_CLIENT_STATUSES: Final = (400, 404, 409, 413, 415, 422, 429)


class FileRequests:
    """Asks the model server for files, with the gateway's own key."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def ask(self, site: SiteView, method: str, path: str, caller: Caller) -> bytearray:
        """The body of a short answer. Raises `UpstreamFailed`, and `OpenAiProblem`."""
        async with self.failures_logged(caller):
            answer = await self.open(site, method, path, caller)
            try:
                return await read_body(answer, MAX_ANSWER_BYTES)
            finally:
                await answer.aclose()

    async def open(self, site: SiteView, method: str, path: str, caller: Caller) -> httpx.Response:
        """An answer with success, its body unread. The caller closes it. Raises `UpstreamFailed`, `OpenAiProblem`."""
        answer = await self._relay.model_server.send(site, method, path, request_id=caller.request_id)
        await succeeded(answer, site)
        if answer.headers.get("content-encoding", "identity") != "identity":
            await answer.aclose()
            raise UpstreamFailed("The model server compressed its answer, which was not asked of it.")
        return answer

    @asynccontextmanager
    async def failures_logged(self, caller: Caller) -> AsyncIterator[None]:
        """Log a failure of what is done within."""
        try:
            yield
        except GatekeyError as error:
            await self.log_failure(caller, error)
            raise

    async def log_failure(self, caller: Caller, error: GatekeyError) -> None:
        """Write a failure into the usage log of the account."""
        await self._relay.ledger.log_refusal(caller, FILE_MODEL, error, problem_code(error))


async def succeeded(answer: httpx.Response, site: SiteView) -> httpx.Response:
    """`answer` if it has success; if not, it is closed. Raises `OpenAiProblem`."""
    if answer.is_success:
        return answer
    try:
        raise await response_problem(answer, site, client_statuses=_CLIENT_STATUSES)
    finally:
        await answer.aclose()
