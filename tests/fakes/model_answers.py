"""The answers of a model server to the newer endpoints, as OpenAI and Anthropic document them."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from starlette.responses import JSONResponse, Response, StreamingResponse

PROMPT_TOKENS: Final = 11
WORDS: Final = ("Hello", " there", ",", " Alice", ".")
"""The answer to every chat: five tokens."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


class Speaker(Protocol):
    """The part of the model server that the answers need."""

    words: tuple[str, ...]
    reports_usage: bool
    pause: Callable[[int], Any] | None


def event(document: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def typed_event(document: dict[str, Any]) -> bytes:
    """One server-sent event that is named like its type."""
    return f"event: {document['type']}\n".encode() + event(document)


def responded(server: Speaker, asked: Asked) -> Response:
    """An answer of `/v1/responses`."""
    if asked.body.get("stream"):
        return StreamingResponse(_response_events(server, asked), media_type="text/event-stream")
    return JSONResponse(response_document(server, asked, "completed"))


def response_document(server: Speaker, asked: Asked, status: str) -> dict[str, Any]:
    """A response, whole if its status is `completed`."""
    is_whole, count = status == "completed", len(server.words)
    text = {"type": "output_text", "text": "".join(server.words), "annotations": []}
    message = {"type": "message", "id": "msg_1", "status": status, "role": "assistant", "content": [text]}
    usage = {
        "input_tokens": PROMPT_TOKENS,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": count,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": PROMPT_TOKENS + count,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": status,
        "error": None,
        "model": asked.body["model"],
        "output": [message] if is_whole else [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "store": asked.body.get("store", True),
        "usage": usage if is_whole and server.reports_usage else None,
    }


async def _response_events(server: Speaker, asked: Asked) -> AsyncIterator[bytes]:
    started = response_document(server, asked, "in_progress")
    yield typed_event({"type": "response.created", "sequence_number": 0, "response": started})
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    item = {"type": "message", "id": "msg_1", "status": "in_progress", "role": "assistant", "content": []}
    yield typed_event({"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": item})
    part = {"type": "output_text", "text": "", "annotations": []}
    yield typed_event({"type": "response.content_part.added", "sequence_number": 2, "part": part, **place})
    for number, word in enumerate(server.words):
        if server.pause is not None:
            await server.pause(number)
        delta = {"type": "response.output_text.delta", "sequence_number": number + 3, "delta": word, "logprobs": []}
        yield typed_event({**delta, **place})
    text = "".join(server.words)
    yield typed_event(
        {"type": "response.output_text.done", "sequence_number": 8, "text": text, "logprobs": [], **place}
    )
    whole = response_document(server, asked, "completed")
    said = whole["output"][0]
    yield typed_event({"type": "response.output_item.done", "sequence_number": 9, "output_index": 0, "item": said})
    yield typed_event({"type": "response.completed", "sequence_number": 10, "response": whole})


def messaged(server: Speaker, asked: Asked) -> Response:
    """An answer of `/v1/messages`."""
    if asked.body.get("stream"):
        return StreamingResponse(_message_events(server, asked), media_type="text/event-stream")
    usage = {"input_tokens": PROMPT_TOKENS, "output_tokens": len(server.words)}
    content = [{"type": "text", "text": "".join(server.words)}]
    document = {**_message_head(asked), "content": content, "stop_reason": "end_turn", "stop_sequence": None}
    return JSONResponse({**document, "usage": usage} if server.reports_usage else document)


def tokens_counted(_: Asked) -> Response:
    """An answer of `/v1/messages/count_tokens`."""
    return JSONResponse({"input_tokens": PROMPT_TOKENS})


def _message_head(asked: Asked) -> dict[str, Any]:
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": asked.body["model"]}


async def _message_events(server: Speaker, asked: Asked) -> AsyncIterator[bytes]:
    usage: dict[str, Any] = {"input_tokens": PROMPT_TOKENS, "output_tokens": 1} if server.reports_usage else {}
    message = {**_message_head(asked), "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    yield typed_event({"type": "message_start", "message": message})
    yield typed_event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
    yield typed_event({"type": "ping"})
    for number, word in enumerate(server.words):
        if server.pause is not None:
            await server.pause(number)
        delta = {"type": "text_delta", "text": word}
        yield typed_event({"type": "content_block_delta", "index": 0, "delta": delta})
    yield typed_event({"type": "content_block_stop", "index": 0})
    ended: dict[str, Any] = {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}}
    yield typed_event({**ended, "usage": {"output_tokens": len(server.words)} if server.reports_usage else {}})
    yield typed_event({"type": "message_stop"})
