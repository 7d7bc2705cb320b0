"""Parses request bodies into calls: short ones on the event loop, long ones in `gateway.relay.parser_process`."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from weakref import WeakValueDictionary

from gateway.problems import OpenAiProblem
from gateway.relay.parser_process import FRAME_HEADER, frame_head
from gateway.relay.request import Call, Endpoint, OutputLength, parse_request

MAX_INLINE_BYTES: Final = 64 * 1024
"""Bytes of JSON parsed on the event loop: a few milliseconds for any content."""
PARSE_TIMEOUT_S: Final = 30.0
"""Seconds. The slowest body that passes the limits takes two."""
QUEUE_TIMEOUT_S: Final = 30.0
"""Seconds a body waits for earlier ones."""
_CHUNK_BYTES: Final = 1024 * 1024
_EXIT_TIMEOUT_S: Final = 5.0
_IMPORT_ROOT: Final = Path(__file__).parents[2]
"""The directory that contains the `gateway` package."""
_PARSER_FAILED: Final = "The gateway could not read this body at the moment. Try again."
_PARSER_BUSY: Final = "The gateway has too many large requests to read at the moment. Try again in a few seconds."


class BodyParser:
    """The parser process of one event loop. It starts with the first long body, and restarts after a failure."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        """By account, so that an account with many bodies has only one of them in the queue for the process."""

    async def parse(
        self, endpoint: Endpoint, media_type: str, raw: bytes | bytearray, extra: Set[str], account_id: int = 0
    ) -> Call:
        """Parse `raw` as `gateway.relay.request.parse_request` does, for the account that sent it.

        Raises `OpenAiProblem`, also 503 if the process failed or was not free within `QUEUE_TIMEOUT_S`.
        """
        if len(raw) <= MAX_INLINE_BYTES:
            return parse_request(endpoint, media_type, bytes(raw), extra)
        head = {"path": endpoint.path, "media_type": media_type, "extra": sorted(extra)}
        async with self._turn_of(account_id):
            told, content = await self._ask(head, raw)
        if "problem" in told:
            problem: dict[str, Any] = told["problem"]
            raise OpenAiProblem(
                problem["status"],
                problem["sentence"],
                code=problem["code"],
                param=problem["param"],
                kind=problem["kind"],
            )
        figures: dict[str, Any] = told["call"]
        return Call(endpoint=endpoint, content=content, **{**figures, "length": OutputLength(*figures["length"])})

    async def aclose(self) -> None:
        """End the process."""
        await self._end(grace=_EXIT_TIMEOUT_S)

    @asynccontextmanager
    async def _turn_of(self, account_id: int) -> AsyncIterator[None]:
        own = self._turns.setdefault(account_id, asyncio.Lock())
        try:
            async with asyncio.timeout(QUEUE_TIMEOUT_S) as wait, own, self._turn:
                wait.reschedule(None)
                yield
        except TimeoutError as error:
            raise OpenAiProblem(503, _PARSER_BUSY, code="overloaded", headers={"Retry-After": "5"}) from error

    async def _ask(self, head: dict[str, Any], raw: bytes | bytearray) -> tuple[dict[str, Any], bytes]:
        try:
            async with asyncio.timeout(PARSE_TIMEOUT_S):
                return await self._exchange(head, raw)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            await self._end(grace=0 if isinstance(error, TimeoutError) else _EXIT_TIMEOUT_S)
            raise OpenAiProblem(503, _PARSER_FAILED, headers={"Retry-After": "1"}) from error
        except BaseException:
            await self._end(grace=0)  # the next caller would read this response
            raise

    async def _exchange(self, head: dict[str, Any], raw: bytes | bytearray) -> tuple[dict[str, Any], bytes]:
        process = self._process = self._process or await _start()
        if process.stdin is None or process.stdout is None:
            raise BrokenPipeError
        process.stdin.write(frame_head(head, len(raw)))
        view = memoryview(raw)
        for start in range(0, len(raw), _CHUNK_BYTES):
            process.stdin.write(view[start : start + _CHUNK_BYTES])
            await process.stdin.drain()
        head_length, content_length = FRAME_HEADER.unpack(await process.stdout.readexactly(FRAME_HEADER.size))
        told: dict[str, Any] = json.loads(await process.stdout.readexactly(head_length))
        return told, await process.stdout.readexactly(content_length)

    async def _end(self, *, grace: float) -> None:
        """End the process; kill it after `grace` seconds."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            async with asyncio.timeout(grace):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _start() -> Process:
    # No environment: it may hold the encryption key of the store. A new session: terminal signals go to the gateway.
    command = (sys.executable, "-P", "-m", "gateway.relay.parser_process")
    env = {"PYTHONPATH": str(_IMPORT_ROOT)}
    return await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, env=env, start_new_session=True, limit=_CHUNK_BYTES
    )
