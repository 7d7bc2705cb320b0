"""The HTTP clients that `http_clients` compares, each used as its documentation says.

All send the same headers and the same body, have the timeouts of the gateway, and read the type of the answer. None
follows a proxy of the environment. Those that the gateway does not require are imported by name, so that they may be
absent.
"""

import importlib
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from importlib import metadata
from types import ModuleType
from typing import Any, Final, Protocol

import httpx

from gateway.model_server.client import TIMEOUTS, body_at_hand, body_chunks, read_body
from gateway.model_server.connections import ModelServerTransport, Target
from gateway.outbound import system_trust

_QUESTION: Final = b'{"model":"gpt-priced","messages":[{"role":"user","content":"Say twenty words."}],"max_tokens":100'
BODIES: Final = {False: _QUESTION + b"}", True: _QUESTION + b',"stream":true}'}
"""By whether they ask for a stream."""
_HEADERS: Final = {
    "Accept-Encoding": "identity",
    "User-Agent": "Gatekey",
    "Authorization": "Bearer sk-0123456789abcdef0123456789abcdef",
    "Content-Type": "application/json",
}
"""Those of `gateway.model_server.client`. Each call has an id, too."""


class Client(Protocol):
    """One way to make calls. Each raises if the status is not 200."""

    async def answer(self, request_id: str) -> bytes | bytearray:
        """The body of a whole answer."""

    def stream(self, request_id: str) -> AsyncIterator[bytes]:
        """The body of a stream in pieces, as they come."""

    async def aclose(self) -> None:
        """Close the connections."""


class Ours:
    """The gateway's own, used as it uses it."""

    def __init__(self, url: str) -> None:
        self._target = Target.of(httpx.URL(url))
        self._transport = ModelServerTransport(system_trust())
        fixed = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
        self._headers = [(b"Host", self._target.host), *fixed]

    async def _send(self, request_id: str, *, streams: bool) -> Any:
        body = BODIES[streams]
        more = [(b"X-Request-Id", request_id.encode()), (b"Content-Length", b"%d" % len(body))]
        sent = await self._transport.send("POST", self._target, [*self._headers, *more], body, timeouts=TIMEOUTS)
        _check(sent.status_code, sent.headers)
        return sent

    async def answer(self, request_id: str) -> bytearray:
        response = await self._send(request_id, streams=False)
        body = await read_body(response)
        await response.aclose()
        return body

    async def stream(self, request_id: str) -> AsyncIterator[bytes]:
        response = await self._send(request_id, streams=True)
        if at_hand := body_at_hand(response):
            yield at_hand
        async for chunk in body_chunks(response):
            yield chunk
        await response.aclose()

    async def aclose(self) -> None:
        await self._transport.aclose()


class Httpx:
    def __init__(self, url: str, _: ModuleType) -> None:
        self._url = url
        limits = httpx.Limits(max_connections=1000, max_keepalive_connections=1000)
        self._client = httpx.AsyncClient(limits=limits, timeout=httpx.Timeout(**TIMEOUTS), trust_env=False)

    async def answer(self, request_id: str) -> bytes:
        response = await self._client.post(self._url, content=BODIES[False], headers=with_id(request_id))
        _check(response.status_code, response.headers)
        return bytes(response.content)

    async def stream(self, request_id: str) -> AsyncIterator[bytes]:
        sent = self._client.stream("POST", self._url, content=BODIES[True], headers=with_id(request_id))
        async with sent as response:
            _check(response.status_code, response.headers)
            async for chunk in response.aiter_raw():
                yield chunk

    async def aclose(self) -> None:
        await self._client.aclose()


class Aiohttp:
    def __init__(self, url: str, aiohttp: ModuleType) -> None:
        self._url = url
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=TIMEOUTS["connect"], sock_read=TIMEOUTS["read"])
        connector = aiohttp.TCPConnector(limit=1000)
        jar = aiohttp.DummyCookieJar()
        self._client: Any = aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=jar)

    async def answer(self, request_id: str) -> bytes:
        async with self._client.post(self._url, data=BODIES[False], headers=with_id(request_id)) as response:
            _check(response.status, response.headers)
            return bytes(await response.read())

    async def stream(self, request_id: str) -> AsyncIterator[bytes]:
        async with self._client.post(self._url, data=BODIES[True], headers=with_id(request_id)) as response:
            _check(response.status, response.headers)
            async for chunk in response.content.iter_any():
                yield chunk

    async def aclose(self) -> None:
        await self._client.close()


class Niquests:
    def __init__(self, url: str, niquests: ModuleType) -> None:
        self._url = url
        self._client: Any = niquests.AsyncSession(
            pool_maxsize=1000, timeout=(TIMEOUTS["connect"], TIMEOUTS["read"]), disable_http2=True, disable_http3=True
        )
        self._client.trust_env = False

    async def answer(self, request_id: str) -> bytes:
        response = await self._client.post(self._url, data=BODIES[False], headers=with_id(request_id))
        _check(response.status_code, response.headers)
        return bytes(response.content)

    async def stream(self, request_id: str) -> AsyncIterator[bytes]:
        response = await self._client.post(self._url, data=BODIES[True], headers=with_id(request_id), stream=True)
        _check(response.status_code, response.headers)
        async for chunk in await response.iter_raw(-1):
            yield chunk
        await response.close()

    async def aclose(self) -> None:
        await self._client.close()


class Pyreqwest:
    """reqwest, in Rust. Its event loop has a thread of its own."""

    def __init__(self, url: str, pyreqwest: ModuleType) -> None:
        self._url = url
        builder = (
            importlib.import_module(f"{pyreqwest.__name__}.client").ClientBuilder().no_proxy().follow_redirects(False)
        )
        builder = builder.connect_timeout(timedelta(seconds=TIMEOUTS["connect"]))
        self._client: Any = builder.read_timeout(timedelta(seconds=TIMEOUTS["read"])).build()

    def _request(self, request_id: str, *, streams: bool) -> Any:
        return self._client.post(self._url).headers(with_id(request_id)).body_bytes(BODIES[streams])

    async def answer(self, request_id: str) -> bytes:
        response = await self._request(request_id, streams=False).build().send()
        _check(response.status, response.headers)
        return bytes(await response.bytes())

    async def stream(self, request_id: str) -> AsyncIterator[bytes]:
        async with self._request(request_id, streams=True).build_streamed() as response:
            _check(response.status, response.headers)
            while (chunk := await response.body_reader.read_chunk()) is not None:
                yield bytes(chunk)

    async def aclose(self) -> None:
        await self._client.close()


OTHERS: Final[Mapping[str, Callable[[str, ModuleType], Client]]] = {
    "httpx": Httpx,
    "aiohttp": Aiohttp,
    "niquests": Niquests,
    "pyreqwest": Pyreqwest,
}


def _check(status: int, headers: Mapping[str, str]) -> None:
    assert status == 200
    assert headers["content-type"] in ("application/json", "text/event-stream")


def with_id(request_id: str) -> dict[str, str]:
    """The headers of one call."""
    return {**_HEADERS, "X-Request-Id": request_id}


def clients_of(url: str) -> dict[str, Client]:
    """A client of each kind that is installed, by its name and version. Says which are not."""
    clients: dict[str, Client] = {"the gateway's own": Ours(url)}
    for name, make in OTHERS.items():
        try:
            module = importlib.import_module(name)
        except ImportError:
            print(f"{name} is not installed, and skipped: pip install {name}")
            continue
        clients[f"{name} {metadata.version(name)}"] = make(url, module)
    return clients
