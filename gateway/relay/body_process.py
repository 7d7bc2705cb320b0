"""A child process that parses large request bodies, one after the other."""

from dataclasses import fields
from typing import Any, Final

from gateway.problems import OpenAiProblem
from gateway.relay.endpoints import ENDPOINTS
from gateway.relay.process_frames import run_process
from gateway.relay.request import Call, parse_request

_SENT_SEPARATELY: Final = frozenset({"endpoint", "content"})


def call_fields(call: Call) -> dict[str, Any]:
    """All fields of `call` but its endpoint and its content."""
    return {field.name: getattr(call, field.name) for field in fields(call) if field.name not in _SENT_SEPARATELY}


def handle_message(head: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    """The head and the body of the response to one message: a call, or the problem with it."""
    endpoint = next(each for each in ENDPOINTS if each.path == head["path"])
    try:
        call = parse_request(endpoint, head["media_type"], body, frozenset(head["extra"]))
    except OpenAiProblem as error:
        problem = {"sentence": str(error), "status": error.status}
        problem |= {"code": error.code, "param": error.param, "kind": error.kind}
        return {"problem": problem}, b""
    return {"call": call_fields(call)}, call.content


if __name__ == "__main__":
    run_process(handle_message)
