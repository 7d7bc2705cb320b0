"""A model server whose answers are large: the shapes that cost the most to parse.

python -m tests.benchmarks.large_answers

It takes a free port and prints its address. A chat whose `user` is one of `SHAPES` is answered in that shape; any
other as `tests.benchmarks.gateway_sides` does.
"""

import asyncio
import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from tests.benchmarks.gateway_sides import ModelServer
from tests.benchmarks.sides import server_of

SIZE: Final = 30 * 1024 * 1024
"""Bytes of each answer, about."""
_VALUES: Final = {"empty strings": b'""', "empty lists": b"[]", "empty objects": b"{}", "numbers": b"0.12345678"}
SHAPES: Final = ("log probabilities", *_VALUES, "one long text")
_USAGE: Final = b'"usage":{"prompt_tokens":12,"completion_tokens":20,"total_tokens":32}'
_USER: Final = re.compile(rb'"user":\s*"([a-z ]+)"')


def _log_probabilities() -> bytes:
    others = [{"token": f" w{number}", "logprob": -2.5 - number, "bytes": [32, 119, 48]} for number in range(20)]
    token = {"token": " word", "logprob": -1.2345, "bytes": [32, 119, 111, 114, 100], "top_logprobs": others}
    return b'{"index":0,"message":{"role":"assistant","content":"x"},"logprobs":{"content":[%b]}}' % _many(
        json.dumps(token).encode()
    )


def _many(value: bytes) -> bytes:
    return b",".join([value] * (SIZE // (len(value) + 1)))


@cache
def _answer(shape: str) -> bytes:
    body = b'{"id":"chatcmpl-1","object":"chat.completion","choices":[%b],%b}' % (_choices(shape), _USAGE)
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def _choices(shape: str) -> bytes:
    if shape == "log probabilities":
        return _log_probabilities()
    if shape == "one long text":
        return b'{"index":0,"message":{"role":"assistant","content":"%b"}}' % (b"x" * SIZE)
    return _many(_VALUES[shape])


class LargeModelServer(ModelServer):
    """Answers in the shape that the request names."""

    def answer(self, body: bytes) -> bytes:
        named = _USER.search(body)
        return _answer(named[1].decode()) if named else super().answer(body)


@contextmanager
def large_answers() -> Iterator[str]:
    """The address of this model server, as a process of its own."""
    with server_of("tests.benchmarks.large_answers") as url:
        yield url


async def _serve(listener: socket.socket) -> None:
    server = await asyncio.get_running_loop().create_server(LargeModelServer, sock=listener)
    await server.serve_forever()


def main() -> None:
    for shape in SHAPES:
        _answer(shape)
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    asyncio.run(_serve(listener))


if __name__ == "__main__":
    main()
