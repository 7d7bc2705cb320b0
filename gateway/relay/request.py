"""Parses a relay request as far as its price requires, and serializes it again.

The price depends on `model`. A body with two `model` members, or one in other letter case, could be priced as one model
and served as another by a server with a different parser. Serializing the parsed body removes the ambiguity, and
unknown fields are refused.
"""

import json
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, NoReturn

from gateway.json_text import MAX_NUMBER_CHARACTERS, NumberTooLong, loads
from gateway.problems import OpenAiProblem
from gateway.relay.fields import (
    BATCH_FIELDS,
    CHAT_FIELDS,
    COMPLETION_FIELDS,
    EMBEDDING_FIELDS,
    IMAGE_FIELDS,
    check_fields,
)
from gateway.relay.prompt_estimate import estimate_prompt_tokens
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
TOKENS_PER_DRAWING: Final = 8000
"""Held for each generated picture. Where pictures are priced per request, a token costs nothing; where they are priced
by tokens, a large one in the best quality has above 6,000."""

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
    file_id: str = ""
    """The input file of a batch."""

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
        old = (_to_json({"model": self.model}), json.dumps({"model": self.model}, separators=(",", ":")).encode())
        begin = next(len(text) - 1 for text in old if self.content.startswith(text[:-1]))
        return replace(self, model=model, content=_to_json(head)[:-1] + self.content[begin:])


def parse_request(endpoint: Endpoint, media_type: str, raw: bytes, extra: Set[str] = frozenset()) -> Call:
    """Parse a body. Raises `OpenAiProblem` 400, 413 or 415, which names the parameter.

    `extra` are field names that the administrator allows in addition to those of `endpoint`.
    """
    body = parse_object(media_type, raw)
    check_fields(body, endpoint.fields, extra)
    model = endpoint.model or body.get("model")
    if not isinstance(model, str) or not 1 <= len(model) <= MAX_MODEL_LENGTH:
        _refuse("Name a model, as a string of 1 to 200 characters.", "model")
    try:
        # No price has such a name, but a model server that trims names would serve a priced model for free.
        check_model(model)
    except InvalidModel as error:
        _refuse(str(error), "model")
    if SECRET.search(model):
        _refuse("This model is named like a key or a token, and would be kept in the log: it was refused.", "model")
    streams = body.get("stream", False)
    if streams is None:
        streams = False
    if not isinstance(streams, bool) or (streams and not endpoint.may_stream):
        _refuse("This endpoint does not stream." if streams is True else "stream is true or false.", "stream")
    wants_usage = endpoint.may_stream and _wants_usage(body)
    if streams:
        # The last member, so that it can be cut off for servers that refuse it.
        body["stream_options"] = {**(body.pop("stream_options", None) or {}), "include_usage": True}
    length = endpoint.length(body)
    if not endpoint.model:
        del body["model"]
        body = {"model": model, **{name: value for name, value in body.items() if not _is_null_limit(name, value)}}
    pictures = _whole_number(body, "n", 1, MAX_CHOICES) if endpoint.kind is Kind.DRAWING else 0
    content = _to_json(body)
    prompt = estimate_prompt_tokens(content, body) if endpoint.kind is not Kind.TASK else 0
    file_id = body.get("input_file_id") if endpoint.kind is Kind.TASK else None
    file_id = file_id if isinstance(file_id, str) else ""
    return Call(endpoint, model, content, streams, wants_usage, prompt, length, pictures, file_id)


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


def chat_output(body: dict[str, Any]) -> OutputLength:
    """Output length of a chat completion."""
    limits = [_whole_number(body, name, 1, MAX_TOKENS, 0) for name in ("max_tokens", "max_completion_tokens")]
    # Model servers differ in which of the two they obey.
    return OutputLength(_whole_number(body, "n", 1, MAX_CHOICES), max(limits) or None)


def completion_output(body: dict[str, Any]) -> OutputLength:
    """Output length of a text completion, which may have several prompts, and discard all but the best answers."""
    longest = None if body.get("max_tokens") is None else _whole_number(body, "max_tokens", 0, MAX_TOKENS)
    choices = max(_whole_number(body, "n", 1, MAX_CHOICES), _whole_number(body, "best_of", 1, MAX_CHOICES))
    prompt = body.get("prompt")
    several = isinstance(prompt, list) and any(isinstance(part, str | list) for part in prompt)
    return OutputLength(choices * (len(prompt) if isinstance(prompt, list) and several else 1), longest)


def image_output(body: dict[str, Any]) -> OutputLength:
    """Output length of a picture request."""
    return OutputLength(_whole_number(body, "n", 1, MAX_CHOICES), TOKENS_PER_DRAWING)


def no_output(_: dict[str, Any]) -> OutputLength:
    """No completion tokens."""
    return OutputLength(0, 0)


BATCHES: Final = Endpoint("/batches", Kind.TASK, may_stream=False, length=no_output, fields=BATCH_FIELDS, model="batch")
"""A batch names its models in a file that the relay does not see. It is priced per request as a model named `batch`:
without that price, batches need an account that accepts models without one."""

CHAT: Final = Endpoint(
    "/chat/completions",
    Kind.CONSUMPTION,
    may_stream=True,
    length=chat_output,
    fields=CHAT_FIELDS,
    limits=("max_tokens", "max_completion_tokens"),
)
IMAGES: Final = Endpoint(
    "/images/generations", Kind.DRAWING, may_stream=False, length=image_output, fields=IMAGE_FIELDS
)
ENDPOINTS: Final = (
    CHAT,
    Endpoint(
        "/completions",
        Kind.CONSUMPTION,
        may_stream=True,
        length=completion_output,
        fields=COMPLETION_FIELDS,
        limits=("max_tokens",),
    ),
    Endpoint("/embeddings", Kind.CONSUMPTION, may_stream=False, length=no_output, fields=EMBEDDING_FIELDS),
    IMAGES,
    BATCHES,
)


def _wants_usage(body: dict[str, Any]) -> bool:
    """True if the client itself asks for the usage of a stream. The gateway always does."""
    options = body.get("stream_options")
    if options is None:
        return False
    if not isinstance(options, dict):
        _refuse("stream_options is an object.", "stream_options")
    for key, value in options.items():
        if key not in STREAM_OPTIONS:
            _refuse(f"stream_options holds {', '.join(STREAM_OPTIONS)} and nothing else.", "stream_options")
        if value is not None and not isinstance(value, bool):
            _refuse(f"{key} is true or false.", "stream_options")
    return options.get("include_usage") is True


def _whole_number(body: dict[str, Any], name: str, lowest: int, highest: int, default: int = 1) -> int:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, float) and value.is_integer():
        value = body[name] = int(value)  # RFC 8259, 6: JSON has one number type, so 2.0 is an integer
    if type(value) is not int or not lowest <= value <= highest:
        _refuse(f"{name} is a whole number from {lowest} to {highest}.", name)
    return value


def _is_null_limit(name: str, value: object) -> bool:
    # A null means no limit, and would conflict with a limit that the gateway adds.
    return value is None and name in ("max_tokens", "max_completion_tokens")


def _to_json(body: Mapping[str, Any]) -> bytes:
    """`body` as JSON. Raises `OpenAiProblem` 400 for a number that only some parsers accept."""
    try:
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise OpenAiProblem(400, "The body holds a number that is too large.") from error
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can only escape
        return json.dumps(body, separators=(",", ":")).encode()


def _refuse(sentence: str, param: str) -> NoReturn:
    raise OpenAiProblem(400, sentence, param=param)
