"""A model server as OpenAI's documentation describes one, with faults to order. It answers what it was asked to."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.fakes.model_answers import (
    MORE_ANSWERS,
    PROMPT_TOKENS,
    WORDS,
    Asked,
    event,
    input_items,
    messaged,
    responded,
    stored_response,
    tokens_counted,
)


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file that was uploaded, or that a batch wrote."""

    filename: str
    purpose: str
    content: bytes

    def document(self, name: str) -> dict[str, Any]:
        return {
            "id": name,
            "object": "file",
            "bytes": len(self.content),
            "created_at": 1_700_000_000,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
        }


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


@dataclass
class ModelServer:
    """`asked` records every request. `fault` may answer in its place, or None to let it pass."""

    asked: list[Asked] = field(default_factory=list)
    fault: Callable[[Asked], Response | None] = lambda _: None
    words: tuple[str, ...] = WORDS
    reports_usage: bool = True
    files: dict[str, HeldFile] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    """The input file of each batch."""
    batches: int = 0
    pause: Callable[[int], Any] | None = None
    """Awaited before each word of a stream, with its number."""

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/chat/completions", self._answering(self._chat), methods=["POST"]),
                Route("/v1/completions", self._answering(self._completion), methods=["POST"]),
                Route("/v1/embeddings", self._answering(self._embeddings), methods=["POST"]),
                Route("/v1/images/generations", self._answering(self._images), methods=["POST"]),
                Route("/v1/batches", self._answering(self._batch), methods=["POST"]),
                Route("/v1/batches/{name}", self._answering(self._batch_status), methods=["GET"]),
                Route("/v1/batches/{name}/cancel", self._answering(self._batch_cancelled), methods=["POST"]),
                Route("/v1/files", self._answering(self._file), methods=["POST"]),
                Route("/v1/files/{name}", self._answering(self._file_found), methods=["GET"]),
                Route("/v1/files/{name}", self._answering(self._file_deleted), methods=["DELETE"]),
                Route("/v1/files/{name}/content", self._answering(self._file_content), methods=["GET"]),
                Route("/v1/responses", self._answering(lambda asked: responded(self, asked)), methods=["POST"]),
                Route("/v1/responses/{name}", self._answering(stored_response), methods=["GET", "DELETE"]),
                Route("/v1/responses/{name}/input_items", self._answering(input_items), methods=["GET"]),
                Route("/v1/messages", self._answering(lambda asked: messaged(self, asked)), methods=["POST"]),
                Route("/v1/messages/count_tokens", self._answering(tokens_counted), methods=["POST"]),
                *(Route(path, self._answering(reply), methods=["POST"]) for path, reply in MORE_ANSWERS.items()),
                Route("/v1/models", self._answering(self._models), methods=["GET"]),
            ]
        )

    @property
    def usage(self) -> dict[str, int]:
        count = len(self.words)
        return {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": count, "total_tokens": PROMPT_TOKENS + count}

    def _answering(self, answer: Callable[[Asked], Response]) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            raw = await request.body()
            is_json = "json" in request.headers.get("content-type", "json")
            body = (json.loads(raw) if is_json else raw) if raw else None
            asked = Asked(request.method, request.url.path, dict(request.headers), body)
            self.asked.append(asked)
            return self.fault(asked) or answer(asked)

        return handle

    def _chat(self, asked: Asked) -> Response:
        head = {"id": "chatcmpl-1", "created": 1_700_000_000, "model": asked.body["model"]}
        if asked.body.get("stream"):
            head["object"] = "chat.completion.chunk"
            return self._streamed(asked, head, lambda word: {"delta": {"content": word} if word else {}})
        message = {"role": "assistant", "content": "".join(self.words), "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        document = {**head, "object": "chat.completion", "choices": [choice]}
        return JSONResponse({**document, "usage": self.usage} if self.reports_usage else document)

    def _streamed(self, asked: Asked, head: dict[str, Any], said: Callable[[str], dict[str, Any]]) -> Response:
        reports = bool((asked.body.get("stream_options") or {}).get("include_usage")) and self.reports_usage
        return StreamingResponse(self._chunks(head, said, reports), media_type="text/event-stream")

    async def _chunks(
        self, head: dict[str, Any], said: Callable[[str], dict[str, Any]], reports: bool
    ) -> AsyncIterator[bytes]:
        nulls = {"usage": None} if reports else {}
        for number, word in enumerate(self.words):
            if self.pause is not None:
                await self.pause(number)
            yield event({**head, "choices": [{"index": 0, **said(word), "finish_reason": None}], **nulls})
        yield event({**head, "choices": [{"index": 0, **said(""), "finish_reason": "stop"}], **nulls})
        if reports:
            yield event({**head, "choices": [], "usage": self.usage})
        yield b"data: [DONE]\n\n"

    def _completion(self, asked: Asked) -> Response:
        head = {"id": "cmpl-1", "object": "text_completion", "created": 1_700_000_000, "model": asked.body["model"]}
        if asked.body.get("stream"):
            return self._streamed(asked, head, lambda word: {"text": word, "logprobs": None})
        choice = {"index": 0, "text": "".join(self.words), "finish_reason": "stop", "logprobs": None}
        return JSONResponse({**head, "choices": [choice], "usage": self.usage})

    def _embeddings(self, asked: Asked) -> Response:
        data = [{"object": "embedding", "index": 0, "embedding": [0.25, -0.5]}]
        usage = {"prompt_tokens": PROMPT_TOKENS, "total_tokens": PROMPT_TOKENS}
        return JSONResponse({"object": "list", "model": asked.body["model"], "data": data, "usage": usage})

    def _images(self, asked: Asked) -> Response:
        count = asked.body.get("n") or 1
        return JSONResponse({"created": 1_700_000_000, "data": [{"b64_json": "aGVsbG8="}] * count})

    def _batch(self, asked: Asked) -> Response:
        self.batches += 1
        name = f"batch_{self.batches:04}"
        self.inputs[name] = asked.body["input_file_id"]
        return JSONResponse(self._task(name, "validating", asked.body["endpoint"]))

    def _batch_status(self, asked: Asked) -> Response:
        """Every batch is done when it is asked for, if there is its input file."""
        name = asked.path.rpartition("/")[2]
        task = self._task(name, "completed", "/v1/chat/completions")
        held = self.files.get(self.inputs.get(name, ""))
        if held is None:
            return JSONResponse(task)
        lines = [json.loads(line) for line in held.content.splitlines() if line.strip()]
        answers = [{"custom_id": line["custom_id"], "response": {"status_code": 200}} for line in lines]
        content = b"".join(json.dumps(answer).encode() + b"\n" for answer in answers)
        output = f"file-output-{name}"
        self.files[output] = HeldFile(f"{name}_output.jsonl", "batch_output", content)
        counts = {"total": len(lines), "completed": len(lines), "failed": 0}
        return JSONResponse({**task, "output_file_id": output, "request_counts": counts})

    def _batch_cancelled(self, asked: Asked) -> Response:
        return JSONResponse(self._task(asked.path.split("/")[3], "cancelling", "/v1/chat/completions"))

    def _file(self, asked: Asked) -> Response:
        form = message_from_bytes(
            b"Content-Type: " + asked.headers["content-type"].encode() + b"\r\n\r\n" + (asked.body or b"")
        )
        parts = {part.get_param("name", header="content-disposition"): part for part in form.walk()}
        file, purpose = parts.get("file"), parts.get("purpose")
        if file is None or purpose is None:
            return JSONResponse({"error": {"message": "Send file and purpose.", "type": "invalid"}}, 400)
        name = f"file-{len(self.files) + 100}"
        held = HeldFile(str(file.get_filename()), _content(purpose).decode(errors="replace"), _content(file))
        self.files[name] = held
        return JSONResponse(held.document(name))

    def _file_found(self, asked: Asked) -> Response:
        name = asked.path.split("/")[3]
        held = self.files.get(name)
        return self._no_file() if held is None else JSONResponse(held.document(name))

    def _file_deleted(self, asked: Asked) -> Response:
        name = asked.path.split("/")[3]
        if self.files.pop(name, None) is None:
            return self._no_file()
        return JSONResponse({"id": name, "object": "file", "deleted": True})

    def _file_content(self, asked: Asked) -> Response:
        held = self.files.get(asked.path.split("/")[3])
        return self._no_file() if held is None else Response(held.content, media_type="application/jsonl")

    def _no_file(self) -> Response:
        return JSONResponse({"error": {"message": "No such File object", "type": "invalid_request_error"}}, 404)

    def _task(self, name: str, status: str, endpoint: str) -> dict[str, Any]:
        return {
            "id": name,
            "object": "batch",
            "endpoint": endpoint,
            "input_file_id": self.inputs.get(name, "file-1"),
            "completion_window": "24h",
            "status": status,
            "created_at": 1_700_000_000,
        }

    def _models(self, _: Asked) -> Response:
        model = {"id": "free-model", "object": "model", "created": 1_700_000_000, "owned_by": "lab"}
        return JSONResponse({"object": "list", "data": [model]})


async def hang(_: int) -> None:
    """Never goes on."""
    await asyncio.Event().wait()
