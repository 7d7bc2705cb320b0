"""The processes that the gateway is compared with: a model server, a minimal relay, a minimal read.

python -m tests.benchmarks.gateway_sides upstream | relay UPSTREAM | select DATABASE

Each takes a free port and prints its URL. The model server is a plain asyncio protocol, so that it is never the
bottleneck. The two others are minimal: no key, no price, no charge, no log.
"""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import uvicorn
from sqlalchemy import bindparam, create_engine, event, make_url, select
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from store.models import AccessToken, Account
from store.sessions import digest

WORDS: Final = 20
_USAGE: Final = {"prompt_tokens": 12, "completion_tokens": WORDS, "total_tokens": 12 + WORDS}


def _chat() -> bytes:
    message = {"role": "assistant", "content": "word " * WORDS}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "gpt-priced"}
    return json.dumps({**head, "choices": [choice], "usage": _USAGE}).encode()


def _events() -> list[bytes]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "gpt-priced"}
    said = {"index": 0, "delta": {"content": "word "}, "finish_reason": None}
    documents = [{**head, "choices": [said], "usage": None}] * WORDS + [{**head, "choices": [], "usage": _USAGE}]
    return [b"data: " + json.dumps(document).encode() + b"\n\n" for document in documents] + [b"data: [DONE]\n\n"]


def _plain(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


_ANSWER: Final = _plain(_chat())
_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_CHUNKS: Final = [b"%x\r\n%b\r\n" % (len(event), event) for event in _events()]


class ModelServer(asyncio.Protocol):
    """Answers each request with a chat of `WORDS` tokens; a request with `"stream":true` in as many events."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(rest) < length:
            return
        self._received = rest[length:]
        assert self._transport is not None
        if _asks_for_stream(rest[:length]):
            self._transport.write(_HEAD)
            self._transport.writelines(_CHUNKS)
            self._transport.write(b"0\r\n\r\n")
        else:
            self._transport.write(self.answer(rest[:length]))

    def answer(self, _body: bytes) -> bytes:
        """The whole response to a request that does not stream."""
        return _ANSWER


def _asks_for_stream(body: bytes) -> bool:
    return b'"stream":true' in body.replace(b" ", b"")


def bare_relay(upstream: str) -> Starlette:
    """starlette and httpx, with nothing in between."""
    client = httpx.AsyncClient(limits=httpx.Limits(max_connections=1000, max_keepalive_connections=1000), timeout=60)

    url, headers = f"{upstream}/v1/chat/completions", {"Content-Type": "application/json"}

    async def relay(request: Request) -> Response:
        body = await request.body()
        if _asks_for_stream(body):
            answer = await client.send(client.build_request("POST", url, content=body, headers=headers), stream=True)
            closing = BackgroundTask(answer.aclose)
            return StreamingResponse(answer.aiter_raw(), answer.status_code, None, "text/event-stream", closing)
        answer = await client.post(url, content=body, headers=headers)
        return Response(answer.content, answer.status_code, media_type=answer.headers["content-type"])

    @asynccontextmanager
    async def closing(_: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    return Starlette(routes=[Route("/v1/chat/completions", relay, methods=["POST"])], lifespan=closing)


def bare_select(database: str) -> Starlette:
    """One select through SQLAlchemy Core, in starlette's threads."""
    is_sqlite = make_url(database).get_backend_name() == "sqlite"
    options = {"check_same_thread": False} if is_sqlite else {}
    engine = create_engine(database, connect_args=options, pool_size=8, max_overflow=32)
    if is_sqlite:
        event.listen(engine, "connect", _write_ahead)
    owner = select(Account.c.name, Account.c.email, Account.c.role, Account.c.created_at).join(AccessToken)
    statement = owner.where(AccessToken.c.token_hash == bindparam("hashed"))

    def read(request: Request) -> Response:
        token = request.headers["authorization"].removeprefix("Bearer ")
        with engine.connect() as connection:
            row = connection.execute(statement, {"hashed": digest(token)}).one()
        told = {"name": row.name, "email": row.email, "role": row.role, "created_at": row.created_at.isoformat()}
        return JSONResponse(told)

    return Starlette(routes=[Route("/api/account", read)])


def _write_ahead(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")


async def _serve_models(listener: socket.socket) -> None:
    server = await asyncio.get_running_loop().create_server(ModelServer, sock=listener)
    await server.serve_forever()


def main(role: str, argument: str = "") -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    if role == "upstream":
        asyncio.run(_serve_models(listener))
        return
    app = bare_relay(argument) if role == "relay" else bare_select(argument)
    config = uvicorn.Config(app, access_log=False, log_level="warning", proxy_headers=False, server_header=False)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
