"""Request fields the relay accepts: those that OpenAI documents, and the usual ones of self-hosted model servers.

An unknown field may change the price of an answer. It is refused with a sentence that explains how the administrator
can allow it. Fields that are known to change the price are always refused.
"""

import re
from collections.abc import Mapping, Set
from typing import Any, Final

from gateway.relay.stored_items import check_stored_items, check_voice, refuse_field
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

ToolFields = Mapping[str, frozenset[str]]
"""The fields of each type of tool that the client runs. A type that ends in `_*` stands for one with a date there; the
empty type, for a tool without one. The model server runs all other tools, at a price of their own."""
CHAT_TOOLS: Final[ToolFields] = {kind: frozenset({"type", kind}) for kind in ("function", "custom")}
TOOL_TYPES: Final = tuple(CHAT_TOOLS)
_TOOL_DATE: Final = re.compile(r"_\d{8}\Z")


def check_fields(
    body: Mapping[str, Any], known: Set[str], extra: Set[str] = frozenset(), tools: ToolFields = CHAT_TOOLS
) -> None:
    """Refuse fields that may change the price or the model. Raises `OpenAiProblem` 400, which names the field."""
    for key in body:
        if key not in known:
            _check_field(key, extra)
    _check_tools(body.get("tools"), tools)
    if "metadata" in known:
        check_metadata(body.get("metadata"))
    if known is CHAT_FIELDS:
        check_stored_items(body.get("messages"))
        check_voice(body.get("audio"))


def _check_field(key: str, extra: Set[str]) -> None:
    name = key.casefold()
    sentence = refusal(name)
    if sentence is not None:
        refuse_field(sentence, name)
    if name in GATEWAY_FIELDS and key != name:
        refuse_field(f"Write {name} in small letters.", name)
    if key in extra:
        return
    shown = sanitize(SECRET.sub("…", key), 64)
    refuse_field(
        f"The field {shown} is not passed on, because it is not known here whether it changes the price. "
        f"Leave it out, or ask the administrator to add it to {EXTRA_FIELDS_SETTING}.",
        shown,
    )


def _check_tools(tools: object, known: ToolFields) -> None:
    if tools is None:
        return
    if not isinstance(tools, list):
        refuse_field("tools is a list.", "tools")
    for tool in tools:
        if not isinstance(tool, dict) or not _is_run_by_client(tool, known):
            if known is CHAT_TOOLS:
                refuse_field(
                    "A tool is a function or custom, with nothing beside its type and that. Others are run by the "
                    "model server at a price of their own, and are never passed on.",
                    "tools",
                )
            refuse_field(
                f"A tool is one that the client runs ({', '.join(filter(None, known))}), with the fields that are "
                "documented for it. Others are run by the model server at a price of their own, and are never passed "
                "on.",
                "tools",
            )
        if "tools" in known.get(str(tool.get("type")), ()):
            _check_tools(tool.get("tools"), known)


def _is_run_by_client(tool: Mapping[str, Any], known: ToolFields) -> bool:
    kind = "" if tool.get("type") is None else tool["type"]
    fields = known.get(kind, known.get(_TOOL_DATE.sub("_*", kind))) if isinstance(kind, str) else None
    return fields is not None and tool.keys() <= fields


def check_metadata(metadata: object, field: str = "metadata") -> None:
    """Refuse metadata by which a model server could choose another model. Raises `OpenAiProblem` 400."""
    if metadata is None:
        return
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        refuse_field(f"{field} is an object whose values are strings.", field)
    for key in metadata:
        if overrides_model(key):
            name = sanitize(key.casefold(), 64)
            refuse_field(f"{field} holds {name}, which could choose another model. It is never passed on.", field)
