"""Request fields the relay accepts: those that OpenAI documents, and the usual ones of self-hosted model servers.

An unknown field may change the price of an answer. It is refused with a sentence that explains how the administrator
can allow it. Fields that are known to change the price are always refused.
"""

from collections.abc import Mapping, Set
from typing import Any, Final, NoReturn

from gateway.problems import OpenAiProblem
from store.request_fields import GATEWAY_FIELDS, overrides_model, refusal
from store.text import sanitize
from store.tokens import SECRET

EXTRA_FIELDS_SETTING: Final = "relay.extra_fields"
"""The administrator's setting that allows more fields."""

_COMMON_FIELDS: Final = frozenset({"model", "stream", "user"})
_STREAM_FIELDS: Final = frozenset({"stream_options", "usage"})
_SAMPLING_FIELDS: Final = frozenset(
    {
        # OpenAI
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_tokens",
        "n",
        "presence_penalty",
        "seed",
        "stop",
        "temperature",
        "top_p",
        # vLLM
        "add_special_tokens",
        "allowed_token_ids",
        "bad_words",
        "cache_salt",
        "guided_choice",
        "guided_decoding_backend",
        "guided_grammar",
        "guided_json",
        "guided_regex",
        "guided_whitespace_pattern",
        "ignore_eos",
        "include_stop_str_in_output",
        "length_penalty",
        "min_p",
        "min_tokens",
        "prompt_logprobs",
        "repetition_penalty",
        "return_token_ids",
        "return_tokens_as_token_ids",
        "skip_special_tokens",
        "spaces_between_special_tokens",
        "stop_token_ids",
        "structural_tag",
        "structured_outputs",
        "top_k",
        "truncate_prompt_tokens",
        # llama.cpp
        "cache_prompt",
        "dry_allowed_length",
        "dry_base",
        "dry_multiplier",
        "dry_penalty_last_n",
        "dry_sequence_breakers",
        "dynatemp_exponent",
        "dynatemp_range",
        "grammar",
        "id_slot",
        "json_schema",
        "min_keep",
        "mirostat",
        "mirostat_eta",
        "mirostat_tau",
        "n_keep",
        "n_probs",
        "penalty_last_n",
        "post_sampling_probs",
        "repeat_last_n",
        "repeat_penalty",
        "samplers",
        "timings_per_token",
        "top_n_sigma",
        "typical_p",
        "xtc_probability",
        "xtc_threshold",
        # Ollama
        "format",
        "keep_alive",
        "num_ctx",
        "num_keep",
        "penalize_newline",
        "tfs_z",
    }
)
_CHAT_ONLY_FIELDS: Final = frozenset(
    {
        # OpenAI
        "audio",
        "function_call",
        "functions",
        "max_completion_tokens",
        "messages",
        "metadata",
        "modalities",
        "moderation",
        "parallel_tool_calls",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "store",
        "tool_choice",
        "tools",
        "top_logprobs",
        "verbosity",
        # vLLM
        "add_generation_prompt",
        "chat_template",
        "chat_template_kwargs",
        "continue_final_message",
        "documents",
        "echo",
        "include_reasoning",
        "mm_processor_kwargs",
        "thinking_token_budget",
        # llama.cpp
        "parse_tool_calls",
        "reasoning_format",
        "thinking_budget_tokens",
        "thinking_forced_open",
        # Ollama
        "reasoning",
        "think",
        "thinking",
    }
)

CHAT_FIELDS: Final = _COMMON_FIELDS | _STREAM_FIELDS | _SAMPLING_FIELDS | _CHAT_ONLY_FIELDS
COMPLETION_FIELDS: Final = (
    _COMMON_FIELDS | _STREAM_FIELDS | _SAMPLING_FIELDS | {"best_of", "echo", "prompt", "response_format", "suffix"}
)
EMBEDDING_FIELDS: Final = _COMMON_FIELDS | {
    "add_special_tokens",
    "dimensions",
    "embd_normalize",
    "encoding_format",
    "input",
    "input_type",
    "keep_alive",
    "truncate",
    "truncate_prompt_tokens",
}
IMAGE_FIELDS: Final = _COMMON_FIELDS | {
    "background",
    "complexity",
    "frame_count",
    "frame_duration_ms",
    "guidance_scale",
    "moderation",
    "n",
    "negative_prompt",
    "output_compression",
    "output_format",
    "partial_images",
    "prompt",
    "quality",
    "response_format",
    "safety_identifier",
    "seed",
    "size",
    "steps",
    "style",
}
BATCH_FIELDS: Final = _COMMON_FIELDS | {
    "completion_window",
    "endpoint",
    "input_file_id",
    "metadata",
    "output_expires_after",
}

TOOL_TYPES: Final = ("function", "custom")
"""Types of tools that the client runs. The model server runs all others, at a price of their own."""


def check_fields(body: Mapping[str, Any], known: Set[str], extra: Set[str] = frozenset()) -> None:
    """Refuse fields that may change the price or the model. Raises `OpenAiProblem` 400, which names the field."""
    for key in body:
        if key not in known:
            _check_field(key, extra)
    _check_tools(body.get("tools"))
    if "metadata" in known:
        _check_metadata(body.get("metadata"))
    if "messages" in known:
        _check_messages(body.get("messages"))
        _check_voice(body.get("audio"))


def _check_field(key: str, extra: Set[str]) -> None:
    name = key.casefold()
    sentence = refusal(name)
    if sentence is not None:
        _refuse(sentence, name)
    if name in GATEWAY_FIELDS and key != name:
        _refuse(f"Write {name} in small letters.", name)
    if key in extra:
        return
    shown = sanitize(SECRET.sub("…", key), 64)
    _refuse(
        f"The field {shown} is not passed on, because it is not known here whether it changes the price. "
        f"Leave it out, or ask the administrator to add it to {EXTRA_FIELDS_SETTING}.",
        shown,
    )


def _check_tools(tools: object) -> None:
    if tools is None:
        return
    if not isinstance(tools, list):
        _refuse("tools is a list.", "tools")
    for tool in tools:
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind not in TOOL_TYPES or not tool.keys() <= {"type", kind}:
            _refuse(
                "A tool is a function or custom, with nothing beside its type and that. Others are run by the model "
                "server at a price of their own, and are never passed on.",
                "tools",
            )


def _check_metadata(metadata: object) -> None:
    if metadata is None:
        return
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        _refuse("metadata is an object whose values are strings.", "metadata")
    for key in metadata:
        if overrides_model(key):
            name = sanitize(key.casefold(), 64)
            _refuse(f"metadata holds {name}, which could choose another model. It is never passed on.", "metadata")


def _check_messages(messages: object) -> None:
    """Refuse ids of what the model server keeps: all accounts share the gateway's key, so it would be read by any."""
    rest = [messages]
    while rest:
        value = rest.pop()
        if isinstance(value, list):
            rest += value
        elif isinstance(value, dict):
            rest += value.values()
            for key, inner in value.items():
                _check_stored(_folded(key), inner)


def _check_stored(name: str, value: object) -> None:
    """Refuse a member of a message, whose name is `_folded`, that names a stored file, answer or picture."""
    if value is None:
        return
    if name == "fileid":
        _refuse(
            "The messages name a file by its file_id, which is never passed on: it could be another account's. "
            "Send the content itself, as file_data or as an image_url.",
            "messages",
        )
    if name == "audio" and _has_id(value):
        _refuse(
            "The messages name an earlier answer by the id of its audio, which is never passed on: it could be another "
            "account's. Send its transcript, as the content of the message.",
            "messages",
        )
    if name == "uuid":
        _refuse(
            "The messages name a picture by its uuid, which is never passed on: the model server keeps one picture for "
            "it, which could be another account's. Leave it out, and send the picture itself.",
            "messages",
        )


def _check_voice(audio: object) -> None:
    """Refuse a voice that somebody has made."""
    if isinstance(audio, dict) and any(_folded(key) == "voice" and _has_id(value) for key, value in audio.items()):
        _refuse(
            "audio names a voice by its id, which is never passed on: it could be another account's. Name one of the "
            "model server's own voices, such as alloy.",
            "audio",
        )


def _has_id(value: object) -> bool:
    return isinstance(value, dict) and any(_folded(key) == "id" and value[key] is not None for key in value)


def _folded(name: str) -> str:
    """Some servers read names in any case, and without underscores (protobuf's JSON)."""
    return name.casefold().replace("_", "")


def _refuse(sentence: str, param: str) -> NoReturn:
    """Raise `OpenAiProblem` 400."""
    raise OpenAiProblem(400, sentence, param=param)
