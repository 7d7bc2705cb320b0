"""The gateway's end of a parser process: the queue for it, the exchange of messages, and a restart after a failure."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from weakref import WeakValueDictionary

from gateway.relay.process_frames import FRAME_HEADER, frame_head
from store.errors import GatewayError

MAX_INLINE_BYTES: Final = 64 * 1024
"""Bytes of JSON parsed on the event loop: a few milliseconds for any content."""
_CHUNK_BYTES: Final = 1024 * 1024
_EXIT_TIMEOUT_S: Final = 5.0
_IMPORT_ROOT: Final = Path(__file__).parents[2]
"""The directory that contains the `gateway` package."""


class ParserFailed(GatewayError):
    """The process ended, or took too long."""

    title = "Not read"
    sentence = "The gateway could not read a large document."


class ParserBusy(ParserFailed):
    """The process was not free in time."""

    sentence = "The gateway has too many large documents to read."


class ParserProcess:
    """One process that runs `module`, for one event loop. It starts with the first message, and again after a failure.

    A message waits up to `queue_timeout_s` seconds for earlier ones, and its reply up to `read_timeout_s`.
    """

    def __init__(self, module: str, *, queue_timeout_s: float, read_timeout_s: float) -> None:
        self.queue_timeout_s = queue_timeout_s
        self.read_timeout_s = read_timeout_s
        self._module = module
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        """By account, so that an account with many messages has only one of them in the queue for the process."""

    @property
    def process_id(self) -> int | None:
        """None while there is no process."""
        return self._process.pid if self._process is not None else None

    async def ask(self, account_id: int, head: dict[str, Any], body: bytes | bytearray) -> tuple[dict[str, Any], bytes]:
        """Head and body of the reply to one message. Raises `ParserFailed` and `ParserBusy`."""
        async with self._turn_of(account_id):
            return await self._ask(head, body)

    async def aclose(self) -> None:
        """End the process."""
        await self._end(grace=_EXIT_TIMEOUT_S)

    @asynccontextmanager
    async def _turn_of(self, account_id: int) -> AsyncIterator[None]:
        own = self._turns.setdefault(account_id, asyncio.Lock())
        try:
            async with asyncio.timeout(self.queue_timeout_s) as wait, own, self._turn:
                wait.reschedule(None)
                yield
        except TimeoutError as error:
            raise ParserBusy from error

    async def _ask(self, head: dict[str, Any], body: bytes | bytearray) -> tuple[dict[str, Any], bytes]:
        try:
            async with asyncio.timeout(self.read_timeout_s):
                return await self._exchange(head, body)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            await self._end(grace=0 if isinstance(error, TimeoutError) else _EXIT_TIMEOUT_S)
            raise ParserFailed from error
        except BaseException:
            await self._end(grace=0)  # the next caller would read this reply
            raise

    async def _exchange(self, head: dict[str, Any], body: bytes | bytearray) -> tuple[dict[str, Any], bytes]:
        process = self._process = self._process or await self._start()
        if process.stdin is None or process.stdout is None:
            raise BrokenPipeError
        process.stdin.write(frame_head(head, len(body)))
        view = memoryview(body)
        for start in range(0, len(body), _CHUNK_BYTES):
            process.stdin.write(view[start : start + _CHUNK_BYTES])
            await process.stdin.drain()
        head_length, body_length = FRAME_HEADER.unpack(await process.stdout.readexactly(FRAME_HEADER.size))
        reply: dict[str, Any] = json.loads(await process.stdout.readexactly(head_length))
        return reply, await _read(process.stdout, body_length)

    async def _start(self) -> Process:
        # No environment: it may hold the encryption key of the store. A new session: terminal signals go to the
        # gateway.
        command = (sys.executable, "-P", "-m", self._module)
        env = {"PYTHONPATH": str(_IMPORT_ROOT)}
        return await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, env=env, start_new_session=True, limit=_CHUNK_BYTES
        )

    async def _end(self, *, grace: float) -> None:
        """End the process; kill it after `grace` seconds."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        # Not `asyncio.timeout`: up to Python 3.11.2 it raises no TimeoutError in a task that was cancelled before.
        exited = asyncio.create_task(process.wait())
        try:
            await asyncio.wait({exited}, timeout=grace)
        finally:
            if not exited.done():
                process.kill()
        await exited


async def _read(stream: asyncio.StreamReader, length: int) -> bytes:
    """`length` bytes of `stream`. Raises `asyncio.IncompleteReadError`.

    `readexactly` lets one buffer grow, which is moved as it grows, and then copied: up to 18 ms of one turn of the
    event loop for 30 MiB.
    """
    pieces, left = list[bytes](), length
    while left:
        piece = await stream.read(min(left, _CHUNK_BYTES))
        if not piece:
            raise asyncio.IncompleteReadError(b"", left)
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
