"""The answers of a model server to the newer endpoints, as OpenAI and Anthropic document them."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from email import message_from_bytes
from typing import Any, Final, Protocol

from starlette.responses import JSONResponse, Response, StreamingResponse

PROMPT_TOKENS: Final = 11
WORDS: Final = ("Hello", " there", ",", " Alice", ".")
"""The answer to every chat: five tokens."""
SOUND: Final = bytes(range(256)) * 20
"""The answer to every request for speech."""


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


def stored_response(asked: Asked) -> Response:
    """A response that is read or deleted."""
    name = asked.path.rpartition("/")[2]
    if asked.method == "DELETE":
        return JSONResponse({"id": name, "object": "response", "deleted": True})
    text = {"type": "output_text", "text": "".join(WORDS), "annotations": []}
    message = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [text]}
    return JSONResponse({"id": name, "object": "response", "status": "completed", "output": [message]})


def input_items(_: Asked) -> Response:
    """The input of a stored response."""
    item = {"type": "message", "id": "msg_0", "role": "user", "content": []}
    return JSONResponse({"object": "list", "data": [item], "has_more": False, "first_id": "msg_0", "last_id": "msg_0"})


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
    name = "resp_2" if asked.body.get("previous_response_id") else "resp_1"
    return {
        "id": name,
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


def field_of(asked: Asked, name: str) -> str | None:
    """The text of a field in a form."""
    head = b"Content-Type: " + asked.headers["content-type"].encode() + b"\r\n\r\n"
    for part in message_from_bytes(head + (asked.body or b"")).walk():
        if part.get_param("name", header="content-disposition") == name:
            content = part.get_payload(decode=True)
            return content.decode() if isinstance(content, bytes) else None
    return None


def moderated(asked: Asked) -> Response:
    """An answer of `/v1/moderations`."""
    result = {"flagged": False, "categories": {}, "category_scores": {}, "category_applied_input_types": {}}
    return JSONResponse({"id": "modr_1", "model": asked.body["model"], "results": [result]})


def spoken(_: Asked) -> Response:
    """An answer of `/v1/audio/speech`."""
    return Response(SOUND, media_type="audio/mpeg")


def transcribed(asked: Asked) -> Response:
    """An answer of `/v1/audio/transcriptions` and `/v1/audio/translations`."""
    if field_of(asked, "response_format") in ("text", "srt", "vtt"):
        return Response("".join(WORDS), media_type="text/plain")
    return JSONResponse({"text": "".join(WORDS), "usage": {"type": "duration", "seconds": 3}})


def redrawn(asked: Asked) -> Response:
    """An answer of `/v1/images/edits` and `/v1/images/variations`."""
    count = int(field_of(asked, "n") or 1)
    return JSONResponse({"created": 1_700_000_000, "data": [{"b64_json": "aGVsbG8="}] * count})


MORE_ANSWERS: Final = {
    "/v1/moderations": moderated,
    "/v1/audio/speech": spoken,
    "/v1/audio/transcriptions": transcribed,
    "/v1/audio/translations": transcribed,
    "/v1/images/edits": redrawn,
    "/v1/images/variations": redrawn,
}
