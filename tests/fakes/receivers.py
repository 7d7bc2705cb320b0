"""Real receivers on loopback: recording HTTP and SMTP servers, and their faults.

    with LoopThread() as loop_thread, HttpReceiver(loop_thread, reply(200)) as receiver:
        ...  # talk to http://127.0.0.1:{receiver.port}
        assert receiver.requests[0].body == b"..."

They run on an event loop of their own in a thread, so a test may be synchronous or run its own loop.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

_T = TypeVar("_T")
_PATIENCE = 90.0


class LoopThread:
    """An event loop in a thread, on which receivers run."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """The result of `work` on this loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)


Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class TcpReceiver:
    """A server that does `behaviour` on every connection. `connections` counts those that reached it."""

    def __init__(
        self,
        loop_thread: LoopThread,
        behaviour: Behaviour,
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.connections = 0
        self.port = 0
        self._loop_thread = loop_thread
        self._behaviour = behaviour
        self._tls = tls
        self._host = host
        self._open: set[asyncio.Task[Any]] = set()

    def __enter__(self) -> Self:
        self._loop_thread.run(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop_thread.run(self._stop())

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._serve, self._host, 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
            await self._behaviour(reader, writer)
        writer.transport.abort() if self._tls else writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        self._open.discard(task)


async def stall(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Reads, and never answers."""
    while await reader.read(65536):
        pass


async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers with a TCP reset."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends one byte at a time and never ends."""
    while True:
        writer.write(b"2")
        await writer.drain()
        await asyncio.sleep(0.01)


def refused_port() -> int:
    """A port on 127.0.0.1 on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as it came in; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    head: bytes = field(repr=False)


Respond = Callable[[Recorded, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def reply(status: int = 200, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Respond:
    """Answers with this status, these headers and this body."""

    async def respond(_: Recorded, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} Whatever <b>it</b> \x1b[31mwrote"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()

    return respond


def then(fault: Behaviour, head: bytes = b"") -> Respond:
    """Reads the request, writes `head`, then behaves badly."""

    async def respond(_: Recorded, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        await fault(reader, writer)

    return respond


class HttpReceiver(TcpReceiver):
    """A recording HTTP/1.1 server, one request per connection."""

    def __init__(
        self,
        loop_thread: LoopThread,
        respond: Respond | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        super().__init__(loop_thread, self._converse, tls=tls, host=host)
        self.requests: list[Recorded] = []
        self.respond = respond or reply()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        start, *lines = head.decode("latin-1").split("\r\n")[:-2]
        method, target, _ = start.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        request = Recorded(method, target, headers, body, head)
        self.requests.append(request)
        await self.respond(request, reader, writer)


@dataclass(frozen=True, slots=True)
class Mail:
    """One accepted message: its envelope, its bytes, and who had signed in."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    user: str


class SmtpReceiver:
    """A recording mail server: STARTTLS (or TLS from the start) and AUTH are both required.

    `answers` overrides its reply to a command, such as `{"RCPT": "550 5.1.1 no such user"}`.
    """

    username = "gatekey"
    password = "correct horse battery staple"

    def __init__(
        self,
        loop_thread: LoopThread,
        tls: ssl.SSLContext,
        *,
        implicit: bool = False,
        starttls: bool = True,
        answers: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.mails: list[Mail] = []
        self.sign_ins: list[bytes] = []
        self.port = 0
        self._loop_thread = loop_thread
        self._tls = tls
        self._implicit = implicit
        self._starttls = starttls
        self._answers = answers or {}
        self._host = host
        self._sessions: list[SMTP] = []

    def __enter__(self) -> Self:
        self._loop_thread.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop_thread.run(self._stop())

    async def _start(self) -> None:
        loop = asyncio.get_running_loop()
        implicit = self._tls if self._implicit else None
        self._server = await loop.create_server(self._session, self._host, 0, ssl=implicit)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        self._server.close()
        for session in self._sessions:
            # Python before 3.11.4 cannot abort a connection with TLS that is closed already.
            if isinstance(session.transport, asyncio.WriteTransport) and not session.transport.is_closing():
                session.transport.abort()
        await self._server.wait_closed()
        # An aborted transport tells its protocol in the next turn of the loop.
        await asyncio.sleep(0)

    def _session(self) -> SMTP:
        offers_starttls = self._starttls and not self._implicit
        session = SMTP(
            self,
            hostname="mail.test",
            loop=asyncio.get_running_loop(),
            tls_context=self._tls if offers_starttls else None,
            require_starttls=offers_starttls,
            auth_required=offers_starttls,  # aiosmtpd knows no other TLS; handle_MAIL looks for itself
            auth_require_tls=not self._implicit,
            authenticator=self._authenticate,
        )
        self._sessions.append(session)
        return session

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.sign_ins.append(data.login)
        success = data.login == self.username.encode() and data.password == self.password.encode()
        # With the default, handled=True, a failure would never be answered.
        return AuthResult(success=success, handled=False, auth_data=data.login.decode())

    async def handle_MAIL(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        return self._answers.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self._answers.get("RCPT", "250 OK")
        if answer.startswith("25"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return self._answers.get("QUIT", "221 Bye")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self._answers.get("DATA", "250 OK")
        if answer.startswith("250"):
            content = envelope.original_content or b""
            sender = envelope.mail_from or ""
            self.mails.append(Mail(sender, tuple(envelope.rcpt_tos), content, str(session.auth_data)))
        return answer
