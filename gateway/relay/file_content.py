"""The content of a file, passed on as it comes: it needs no memory, whatever its size."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, suppress

import httpx
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway.break_off import break_off, can_break_off
from gateway.model_server.client import MAX_CALL_S, body_chunks, connection_problem
from gateway.network_errors import NETWORK_ERRORS
from gateway.problems import OpenAiProblem
from gateway.relay.model_response import masked_chunks
from store.errors import GatekeyError


class FileContent(StreamingResponse):
    """Passes on the body of a model server's answer. One that breaks off breaks off this response too."""

    def __init__(
        self,
        answer: httpx.Response,
        secret: bytes,
        slot: ExitStack,
        *,
        request_id: str,
        log_failure: Callable[[OpenAiProblem], Awaitable[None]],
    ) -> None:
        """`secret` is masked. `answer` and `slot` are closed at the end. `log_failure` is called for a failure of the
        model server.
        """
        headers = {"X-Request-Id": request_id, "X-Content-Type-Options": "nosniff"}
        super().__init__(_pieces(answer, secret), headers=headers, media_type="application/octet-stream")
        self._answer = answer
        self._slot = slot
        self._log_failure = log_failure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._slot:
            try:
                await super().__call__(scope, receive, send)
            except OpenAiProblem as problem:
                with suppress(GatekeyError):  # the database may be gone too; the client is told either way
                    await self._log_failure(problem)
                if not can_break_off(scope):
                    raise
                break_off(scope)
            finally:
                await self._answer.aclose()

    async def stream_response(self, send: Send) -> None:
        try:
            async with asyncio.timeout(MAX_CALL_S):
                await super().stream_response(send)
        except TimeoutError as error:
            raise connection_problem(error) from error


async def _pieces(answer: httpx.Response, secret: bytes) -> AsyncIterator[bytes]:
    """The content with `secret` masked. Raises `OpenAiProblem` if the model server breaks off."""
    try:
        async for piece in masked_chunks(body_chunks(answer), secret):
            yield piece
    except NETWORK_ERRORS as error:
        raise connection_problem(error) from error
