"""The stand-in as an ASGI application: limits and faults first, then the caller, then the handler of the route."""

import asyncio
import gzip
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from tests.new_api.answers import Answer, Panic, Refused, plain
from tests.new_api.call import Call, Rule
from tests.new_api.callers import admit
from tests.new_api.faults import Fault, Faults, too_many_requests
from tests.new_api.limits import EVERY, is_over
from tests.new_api.routes import find, rules_of
from tests.new_api.shapes import sent, shapes_of
from tests.new_api.world import World

LONGEST_S: Final = 60.0
"""A call that nobody lets go on goes on after this, so that no test hangs."""


class App:
    """One New API server. `world` is its state, `faults` is what goes wrong next."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults = Faults()
        self.unlike_recorded: dict[str, None] = {}
        """The differences of requests that were like none of the recorded ones, in order and once each."""
        self._rules = rules_of(world.generation)
        self._shapes = shapes_of(world.generation)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        request = Request(scope, receive)
        fault = self.faults.next_for(request.method, request.url.path)
        if self.faults.is_down or (fault and fault.is_drop and fault.is_before):
            await _cut(receive, send)
            return
        if fault and fault.gate:
            await asyncio.to_thread(fault.gate.wait, LONGEST_S)
        call, rule = await self._call(request)
        arrived = sent(call.method, call.path, call.query, call.headers, call.body)
        self.unlike_recorded |= dict.fromkeys(self._shapes.complaints(arrived))
        answer = self._spoiled(fault) or self._answer(call, rule)
        if fault and fault.is_drop:
            await _cut(receive, send)
            return
        if fault and fault.spoil and not fault.is_before:
            answer = fault.spoil(answer)
        await _send(call, answer, send)

    @staticmethod
    def _spoiled(fault: Fault | None) -> Answer | None:
        return fault.spoil(plain(None)) if fault and fault.spoil and fault.is_before else None

    async def _call(self, request: Request) -> tuple[Call, Rule | None]:
        path = request.url.path
        rule, parts = find(self._rules, request.method, path)
        call = Call(
            *(self.world, request.method, path, parts),
            dict(parse_qsl(request.url.query, keep_blank_values=True)),
            request.headers,
            request.cookies,
            await request.body(),
            request_id=self.world.letters(32),
        )
        return call, rule

    def _answer(self, call: Call, rule: Rule | None) -> Answer:
        """The answer of the server; a crash of it is one too."""
        world = self.world
        if world.has_limits and call.path.startswith("/api/") and is_over(world, EVERY, call.address):
            return too_many_requests()
        if rule is None:
            return _no_such_route(call)
        if world.has_limits and rule.bucket and is_over(world, rule.bucket, call.address):
            return too_many_requests()
        try:
            admit(call, rule)
            answer = rule.handler(call)
        except Refused as refused:
            answer = refused.answer
        except Panic:
            return _crashed(call)
        names = {name for name, _ in answer.headers}
        if rule.cache and not world.is_feb and "Cache-Control" not in names:
            answer = answer.having(Cache_Control=rule.cache)
        return answer.with_cookies(*call.given_cookies)


def _accepts_gzip(call: Call) -> bool:
    return "gzip" in call.headers.get("accept-encoding", "")


def _no_such_route(call: Call) -> Answer:
    """An unknown path and an unknown method are answered alike."""
    error = {"message": call.say(f"route.unknown {call.method}"), "type": "invalid_request_error"}
    return plain({"error": {**error, "param": "", "code": ""}}, 404).having(Cache_Control="max-age=604800")


def _crashed(call: Call) -> Answer:
    if _accepts_gzip(call):
        return Answer(b"", 200, None)
    return plain({"error": {"message": call.say("panic"), "type": "new_api_panic"}}, 500)


async def _send(call: Call, answer: Answer, send: Send) -> None:
    """Compress and send. An empty 429 is compressed too: to 23 bytes or so that hold nothing."""
    headers = [("Vary", "Accept-Encoding"), ("X-New-Api-Version", call.world.generation.value)]
    headers.append(("X-Oneapi-Request-Id", call.request_id))
    if answer.content_type:
        headers.append(("Content-Type", answer.content_type))
    headers += [*answer.headers, *(("Set-Cookie", cookie) for cookie in answer.cookies)]
    chunks = list(answer.chunks) or [answer.body]
    is_compressed = _accepts_gzip(call) and call.path.startswith("/api/") and (answer.body or answer.status == 429)
    if is_compressed or (answer.chunks and _accepts_gzip(call) and answer.content_type != "text/event-stream"):
        chunks = [gzip.compress(b"".join(chunks), 1)]
        headers.append(("Content-Encoding", "gzip"))
    if len(chunks) == 1:
        headers.append(("Content-Length", str(len(chunks[0]))))
    await send({"type": "http.response.start", "status": answer.status, "headers": _raw(headers)})
    for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        if answer.gate:
            await asyncio.to_thread(answer.gate.wait, LONGEST_S)
    await send({"type": "http.response.body", "body": b""})


def _raw(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers]


async def _cut(receive: Receive, send: Send) -> None:
    """Close the connection without a byte of an answer. ASGI has no word for that, so uvicorn's own cycle is asked."""
    cycle = getattr(send, "__self__")  # noqa: B009 - a bound method as uvicorn gives it, which mypy cannot know
    cycle.transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _live(receive: Receive, send: Send) -> None:
    for ending in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{ending}.complete"})
