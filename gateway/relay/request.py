"""Parses a relay request as far as its price requires, and serializes it again.

The price depends on `model`. A body with two `model` members, or one in other letter case, could be priced as one model
and served as another by a server with a different parser. Serializing the parsed body removes the ambiguity, and
unknown fields are refused.
"""

import json
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from gateway.json_text import MAX_NUMBER_CHARACTERS, NumberTooLong, loads
from gateway.problems import OpenAiProblem
from gateway.relay.api_form import ApiForm
from gateway.relay.fields import CHAT_TOOLS, ToolFields, check_fields
from gateway.relay.form_body import parse_form
from gateway.relay.prompt_estimate import estimate_prompt_tokens, with_cache_writes
from gateway.relay.stored_items import refuse_field
from store.errors import InvalidModel
from store.inputs import MAX_MODEL_LENGTH, check_model
from store.tokens import SECRET
from store.values.usage import Kind

MAX_TOKENS: Final = 10_000_000
MAX_CHOICES: Final = 128
MAX_JSON_VALUES: Final = 500_000
"""Per body. Parsing blocks the interpreter: a million small values would block it for a second. OpenAI accepts up to
300,000 tokens in an embeddings request, the longest legitimate list."""
STREAM_OPTIONS: Final = ("include_usage", "include_obfuscation", "continuous_usage_stats")
"""The fields of `stream_options` that OpenAI and vLLM know. None is an object, so the last one in a body is ours."""
_VALUE_DELIMITERS: Final = (b",", b"[", b"{")
"""Each value but the first follows one of these. Strings may contain more of them."""


class OutputLength(NamedTuple):
    """The maximum length of a response: the number of answers, and the tokens of each."""

    answers: int
    tokens: int | None
    """None: the client set no limit."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint of OpenAI's API. `length` computes the maximum length of a response from a body."""

    path: str
    kind: Kind
    may_stream: bool
    length: Callable[[dict[str, Any]], OutputLength]
    fields: frozenset[str]
    """Names of the accepted fields."""
    model: str = ""
    """The model every request is priced as; empty: the model that the request names."""
    limits: tuple[str, ...] = ()
    """Names of the fields that limit an answer. Empty: `length` computes its tokens."""
    form: ApiForm = ApiForm.CHAT
    """The form of its streams, usage reports and errors."""
    tools: ToolFields = field(default_factory=lambda: CHAT_TOOLS)
    """The types of the tools that a request may have, and the fields of each."""
    prepare: Callable[[dict[str, Any]], None] | None = None
    """Checks the fields that only this endpoint has. It may set some. Raises `OpenAiProblem` 400."""
    prompt: Callable[[dict[str, Any]], int] | None = None
    """Computes the tokens of a prompt from a body; None: they are estimated from its bytes."""
    files: frozenset[str] = frozenset()
    """Names of the fields that are files. If there are any, the body is a form."""
    other_answers: tuple[str, ...] = ()
    """Media types of answers that are not JSON. The first stands for every type that is not among them."""
    resource_field: str = ""
    """The field with the id of what the call needs at the model server."""
    charges_tokens: bool = True
    """False: a call costs what the price has per request, whatever its length."""
    default_model: str = ""
    """The model of a request that names none; empty: a request must name one."""


@dataclass(frozen=True, slots=True)
class Call:
    """One parsed request. Its figures determine the hold; the response determines the cost."""

    endpoint: Endpoint
    model: str
    content: bytes
    """The body for the model server."""
    streams: bool
    wants_usage: bool
    """True if the client itself asked for the usage of a stream."""
    prompt_tokens: int
    length: OutputLength
    pictures: int
    resource_id: str = ""
    """The id of what the call needs at the model server: the input file of a batch, or the response it continues."""
    stores: bool = False
    """True if the response is stored at the model server."""
    model_at: int = 0
    """The offset of the model's name in `content`, in bytes, if that is a form."""

    @property
    def has_completion(self) -> bool:
        """True if the response has completion tokens."""
        return self.length.answers > 0 and self.length.tokens != 0

    def rewritten(self, model: str, limit: tuple[str, int] | None) -> "Call":
        """The same request for `model`, with the field and value in `limit` added.

        The body must not have that field already. `model` is the first member of `content`, so nothing is parsed again.
        """
        head = {"model": model, **({limit[0]: limit[1]} if limit else {})}
        if self.endpoint.model or head == {"model": self.model}:
            return self
        if self.endpoint.files:
            begin, end = self.model_at, self.model_at + len(self.model.encode())
            return replace(self, model=model, content=self.content[:begin] + model.encode() + self.content[end:])
        old = (_to_json({"model": self.model}), json.dumps({"model": self.model}, separators=(",", ":")).encode())
        begin = next(len(text) - 1 for text in old if self.content.startswith(text[:-1]))
        return replace(self, model=model, content=_to_json(head)[:-1] + self.content[begin:])


def parse_request(endpoint: Endpoint, media_type: str, raw: bytes, extra: Set[str] = frozenset()) -> Call:
    """Parse a body. Raises `OpenAiProblem` 400, 413 or 415, which names the parameter.

    `extra` are field names that the administrator allows in addition to those of `endpoint`.
    """
    if endpoint.files:
        return _parse_form(endpoint, media_type, raw, extra)
    body = parse_object(media_type, raw)
    check_fields(body, endpoint.fields, extra, endpoint.tools)
    if endpoint.prepare is not None:
        endpoint.prepare(body)
    if endpoint.default_model:
        body.setdefault("model", endpoint.default_model)
    model = _checked_model(endpoint.model or body.get("model"))
    streams = body.get("stream", False)
    if streams is None:
        streams = False
    if not isinstance(streams, bool) or (streams and not endpoint.may_stream):
        refuse_field("This endpoint does not stream." if streams is True else "stream is true or false.", "stream")
    is_chat = endpoint.form is ApiForm.CHAT
    wants_usage = endpoint.may_stream and (_wants_usage(body) or not is_chat)
    if streams and is_chat:
        # The last member, so that it can be cut off for servers that refuse it.
        body["stream_options"] = {**(body.pop("stream_options", None) or {}), "include_usage": True}
    length = endpoint.length(body)
    if not endpoint.model:
        del body["model"]
        body = {"model": model, **{name: value for name, value in body.items() if not _is_null_limit(name, value)}}
    pictures = whole_number(body, "n", 1, MAX_CHOICES) if endpoint.kind is Kind.DRAWING else 0
    content = _to_json(body)
    if endpoint.prompt is not None:
        prompt = endpoint.prompt(body)
    elif endpoint.kind is Kind.TASK or not endpoint.charges_tokens:
        prompt = 0
    else:
        prompt = estimate_prompt_tokens(content, body)
        if not is_chat and endpoint.form is ApiForm.MESSAGES:
            prompt = with_cache_writes(prompt, content)
    resource = body.get(endpoint.resource_field) if endpoint.resource_field else None
    resource_id = resource if isinstance(resource, str) else ""
    stores = not is_chat and body.get("store") is True
    return Call(endpoint, model, content, streams, wants_usage, prompt, length, pictures, resource_id, stores)


def _parse_form(endpoint: Endpoint, media_type: str, raw: bytes, extra: Set[str]) -> Call:
    """Parse a form, which is passed on as it is."""
    form = parse_form(media_type, raw, endpoint.files)
    body = form.body
    check_fields(body, endpoint.fields, extra)
    model = _checked_model(body.get("model"))
    if body.get("stream", "false") not in ("false", "False"):
        refuse_field("This endpoint does not stream. Leave stream out.", "stream")
    if endpoint.prepare is not None:
        endpoint.prepare(body)
    length = endpoint.length(body)
    pictures = length.answers if endpoint.kind is Kind.DRAWING else 0
    prompt = endpoint.prompt(body) if endpoint.prompt is not None else 0
    return Call(endpoint, model, raw, False, False, prompt, length, pictures, model_at=form.model_at)


def _checked_model(model: object) -> str:
    if not isinstance(model, str) or not 1 <= len(model) <= MAX_MODEL_LENGTH:
        refuse_field("Name a model, as a string of 1 to 200 characters.", "model")
    try:
        # No price has such a name, but a model server that trims names would serve a priced model for free.
        check_model(model)
    except InvalidModel as error:
        refuse_field(str(error), "model")
    if SECRET.search(model):
        refuse_field(
            "This model is named like a key or a token, and would be kept in the log: it was refused.", "model"
        )
    return model


def with_usage_alone(content: bytes) -> bytes:
    """The content of a streamed call with `include_usage` as its only stream option."""
    return without_usage(content)[:-1] + b',"stream_options":{"include_usage":true}}'


def without_usage(content: bytes) -> bytes:
    """The content of a streamed call without stream options."""
    return content[: content.rindex(b',"stream_options":')] + b"}"


def parse_object(media_type: str, raw: bytes) -> dict[str, Any]:
    """The JSON object in `raw`. Raises `OpenAiProblem` 400, 413 or 415."""
    if media_type.partition(";")[0].strip().lower() != "application/json":
        raise OpenAiProblem(415, "Send the body as application/json.")
    if len(raw) > MAX_JSON_VALUES and sum(map(raw.count, _VALUE_DELIMITERS)) > MAX_JSON_VALUES:
        raise OpenAiProblem(413, f"The body holds more than {MAX_JSON_VALUES:,} values.")
    try:
        body = loads(raw)
    except NumberTooLong as error:
        raise OpenAiProblem(400, f"The body holds a number of more than {MAX_NUMBER_CHARACTERS} characters.") from error
    except (ValueError, RecursionError) as error:
        raise OpenAiProblem(400, "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise OpenAiProblem(400, "The body is not a JSON object.")
    return body


def _wants_usage(body: dict[str, Any]) -> bool:
    """True if the client itself asks for the usage of a stream. The gateway always does."""
    options = body.get("stream_options")
    if options is None:
        return False
    if not isinstance(options, dict):
        refuse_field("stream_options is an object.", "stream_options")
    for key, value in options.items():
        if key not in STREAM_OPTIONS:
            refuse_field(f"stream_options holds {', '.join(STREAM_OPTIONS)} and nothing else.", "stream_options")
        if value is not None and not isinstance(value, bool):
            refuse_field(f"{key} is true or false.", "stream_options")
    return options.get("include_usage") is True


def whole_number(body: dict[str, Any], name: str, lowest: int, highest: int, default: int = 1) -> int:
    """The field `name`, or `default` without it. Raises `OpenAiProblem` 400 outside of `lowest` to `highest`."""
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, float) and value.is_integer():
        value = body[name] = int(value)  # RFC 8259, 6: JSON has one number type, so 2.0 is an integer
    if type(value) is not int or not lowest <= value <= highest:
        refuse_field(f"{name} is a whole number from {lowest} to {highest}.", name)
    return value


def _is_null_limit(name: str, value: object) -> bool:
    # A null means no limit, and would conflict with a limit that the gateway adds.
    return value is None and name in ("max_tokens", "max_completion_tokens", "max_output_tokens")


_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _to_json(body: Mapping[str, Any]) -> bytes:
    """`body` as JSON. Raises `OpenAiProblem` 400 for a number that only some parsers accept."""
    try:
        text = _ENCODER.encode(body)
    except ValueError as error:
        raise OpenAiProblem(400, "The body holds a number that is too large.") from error
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can only escape
        return json.dumps(body, separators=(",", ":")).encode()
