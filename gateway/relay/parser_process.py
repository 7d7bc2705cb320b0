"""A child process that parses large request bodies, one after the other, from standard input to standard output.

Python's JSON parser holds the GIL until it is done, also in a thread. In a process of its own it blocks nobody.

A message consists of the length of its head and of its body, the head as JSON, and the body.
"""

import json
import signal
import struct
import sys
from dataclasses import fields
from typing import Any, BinaryIO, Final

from gateway.problems import OpenAiProblem
from gateway.relay.request import ENDPOINTS, Call, parse_request

FRAME_HEADER: Final = struct.Struct("!IQ")
_SENT_SEPARATELY: Final = frozenset({"endpoint", "content"})


def frame_head(head: dict[str, Any], length: int) -> bytes:
    """The start of a message whose body has `length` bytes."""
    written = json.dumps(head).encode()
    return FRAME_HEADER.pack(len(written), length) + written


def call_fields(call: Call) -> dict[str, Any]:
    """All fields of `call` but its endpoint and its content."""
    return {field.name: getattr(call, field.name) for field in fields(call) if field.name not in _SENT_SEPARATELY}


def handle_message(head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    """The head and the body of the response to one message: a call, or the problem with it."""
    endpoint = next(each for each in ENDPOINTS if each.path == head["path"])
    try:
        call = parse_request(endpoint, head["media_type"], body, frozenset(head["extra"]))
    except OpenAiProblem as error:
        told = {"sentence": str(error), "status": error.status}
        told |= {"code": error.code, "param": error.param, "kind": error.kind}
        return {"problem": told}, b""
    return {"call": call_fields(call)}, call.content


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Handle messages until `source` ends, which means that the gateway has ended."""
    while lengths := source.read(FRAME_HEADER.size):
        head_length, body_length = FRAME_HEADER.unpack(lengths)
        head = json.loads(source.read(head_length))
        told, content = handle_message(head, source.read(body_length))
        sink.write(frame_head(told, len(content)))
        sink.write(content)
        sink.flush()


if __name__ == "__main__":
    # A signal may reach all processes of the gateway. This one ends when the gateway has closed its pipe.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(sys.stdin.buffer, sys.stdout.buffer)
