"""A relay request, understood as far as it has to be priced, and rewritten so that everyone reads it alike.

The price guard looks at `model`. A body that names it twice, or once more in other letters, would be priced as one
model and served as another by a server with a different parser. So what was read here is written anew, and fields
that nobody here knows are refused.
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
from store.inputs import LONGEST_MODEL, check_model
from store.tokens import SECRET
from store.usage_log import Kind

MAX_TOKENS: Final = 10_000_000
MAX_CHOICES: Final = 128
MAX_JSON_VALUES: Final = 500_000
"""In one body. The interpreter does nothing else while it parses: a million small ones keep all others waiting for
a second. OpenAI takes 300,000 tokens to embed at once, the longest list there is."""
STREAM_OPTIONS: Final = ("include_usage", "include_obfuscation", "continuous_usage_stats")
"""OpenAI's, and vLLM's. None of them holds a name of its own, so that the last `stream_options` is ours."""
TOKENS_PER_DRAWING: Final = 8000
"""Held for each picture that is drawn. Where pictures are priced one by one, a token costs nothing; where they are
priced by tokens, a large one in the best quality has above 6,000."""

_VALUE_DELIMITERS: Final = (b",", b"[", b"{")
"""Each value but the first has one of these before it; there may be more of them, in strings."""


class OutputLength(NamedTuple):
    """How long what is answered may be: so many `answers` of at most `tokens` each."""

    answers: int
    tokens: int | None
    """None: the client set no limit."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One of OpenAI's addresses. `length` says how long an answer may be."""

    path: str
    kind: Kind
    may_stream: bool
    length: Callable[[dict[str, Any]], OutputLength]
    fields: frozenset[str]
    """What a request may hold."""
    model: str = ""
    """What every request here is priced as; empty: as the model it names."""
    limits: tuple[str, ...] = ()
    """The fields that limit an answer. Without one, `length` knows it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. From the figures follows what is held for it; what it costs, the answer tells."""

    endpoint: Endpoint
    model: str
    content: bytes
    """What goes to the model server."""
    streams: bool
    wants_usage: bool
    """Whether the client asked for the usage of a stream itself."""
    prompt_tokens: int
    length: OutputLength
    pictures: int

    @property
    def has_completion(self) -> bool:
        """Whether tokens are answered."""
        return self.length.answers > 0 and self.length.tokens != 0

    def rewritten(self, model: str, limit: tuple[str, int] | None) -> "Call":
        """The same request for `model`, with a field that limits the answer if `limit` names one and its value.

        It had no such field before. The model stands first in `content`, so nothing has to be parsed again.
        """
        head = {"model": model, **({limit[0]: limit[1]} if limit else {})}
        if self.endpoint.model or head == {"model": self.model}:
            return self
        old = (_to_json({"model": self.model}), json.dumps({"model": self.model}, separators=(",", ":")).encode())
        begin = next(len(text) - 1 for text in old if self.content.startswith(text[:-1]))
        return replace(self, model=model, content=_to_json(head)[:-1] + self.content[begin:])


def parse_request(endpoint: Endpoint, media_type: str, raw: bytes, extra: Set[str] = frozenset()) -> Call:
    """Raises `OpenAiProblem` 400, 413 or 415, naming the parameter at fault.

    `extra` are fields that the administrator lets through, beside those of `endpoint`.
    """
    body = parse_object(media_type, raw)
    check_fields(body, endpoint.fields, extra)
    model = endpoint.model or body.get("model")
    if not isinstance(model, str) or not 1 <= len(model) <= LONGEST_MODEL:
        _refuse("Name a model, as a string of 1 to 200 characters.", "model")
    try:
        # No price can have another name, but a model server that trims it would serve a priced model for nothing.
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
        # The last field, so that it can be cut off: some servers refuse it.
        body["stream_options"] = {**(body.pop("stream_options", None) or {}), "include_usage": True}
    length = endpoint.length(body)
    if not endpoint.model:
        del body["model"]
        body = {"model": model, **{name: value for name, value in body.items() if not _is_null_limit(name, value)}}
    pictures = _whole_number(body, "n", 1, MAX_CHOICES) if endpoint.kind is Kind.DRAWING else 0
    content = _to_json(body)
    prompt = estimate_prompt_tokens(content, body) if endpoint.kind is not Kind.TASK else 0
    return Call(endpoint, model, content, streams, wants_usage, prompt, length, pictures)


def with_usage_alone(content: bytes) -> bytes:
    """The content of a streamed call that asks for its usage, and has no other option of a stream."""
    return without_usage(content)[:-1] + b',"stream_options":{"include_usage":true}}'


def without_usage(content: bytes) -> bytes:
    """The content of a streamed call that does not ask for its usage."""
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
    """How long a chat's answers may be."""
    limits = [_whole_number(body, name, 1, MAX_TOKENS, 0) for name in ("max_tokens", "max_completion_tokens")]
    # Model servers differ in which of the two they obey.
    return OutputLength(_whole_number(body, "n", 1, MAX_CHOICES), max(limits) or None)


def completion_output(body: dict[str, Any]) -> OutputLength:
    """The same for a completion, which may have several prompts, and drop the worse of its answers."""
    longest = None if body.get("max_tokens") is None else _whole_number(body, "max_tokens", 0, MAX_TOKENS)
    choices = max(_whole_number(body, "n", 1, MAX_CHOICES), _whole_number(body, "best_of", 1, MAX_CHOICES))
    prompt = body.get("prompt")
    several = isinstance(prompt, list) and any(isinstance(part, str | list) for part in prompt)
    return OutputLength(choices * (len(prompt) if isinstance(prompt, list) and several else 1), longest)


def image_output(body: dict[str, Any]) -> OutputLength:
    """The tokens that the pictures asked for have."""
    return OutputLength(_whole_number(body, "n", 1, MAX_CHOICES), TOKENS_PER_DRAWING)


def no_output(_: dict[str, Any]) -> OutputLength:
    """No tokens are answered."""
    return OutputLength(0, 0)


BATCHES: Final = Endpoint("/batches", Kind.TASK, may_stream=False, length=no_output, fields=BATCH_FIELDS, model="batch")
"""A batch names its models in a file that the relay does not see. So it is priced as a model of its own, `batch`, by
the request: without that price, or the account's leave for models without one, there are no batches."""

ENDPOINTS: Final = (
    Endpoint(
        "/chat/completions",
        Kind.CONSUMPTION,
        may_stream=True,
        length=chat_output,
        fields=CHAT_FIELDS,
        limits=("max_tokens", "max_completion_tokens"),
    ),
    Endpoint(
        "/completions",
        Kind.CONSUMPTION,
        may_stream=True,
        length=completion_output,
        fields=COMPLETION_FIELDS,
        limits=("max_tokens",),
    ),
    Endpoint("/embeddings", Kind.CONSUMPTION, may_stream=False, length=no_output, fields=EMBEDDING_FIELDS),
    Endpoint("/images/generations", Kind.DRAWING, may_stream=False, length=image_output, fields=IMAGE_FIELDS),
    BATCHES,
)


def _wants_usage(body: dict[str, Any]) -> bool:
    """Whether the client asks for the usage of a stream itself; it is asked for anyway."""
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
        value = body[name] = int(value)  # JSON has one kind of number: 2.0 is a whole one (RFC 8259, 6)
    if type(value) is not int or not lowest <= value <= highest:
        _refuse(f"{name} is a whole number from {lowest} to {highest}.", name)
    return value


def _is_null_limit(name: str, value: object) -> bool:
    # A null says nothing, and would stand beside the limit that the gateway may set.
    return value is None and name in ("max_tokens", "max_completion_tokens")


def _to_json(body: Mapping[str, Any]) -> bytes:
    """`body` as JSON. Raises `OpenAiProblem` 400 for a number that only some parsers take for one."""
    try:
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise OpenAiProblem(400, "The body holds a number that is too large.") from error
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a character, which JSON can only escape
        return json.dumps(body, separators=(",", ":")).encode()


def _refuse(sentence: str, param: str) -> NoReturn:
    raise OpenAiProblem(400, sentence, param=param)
