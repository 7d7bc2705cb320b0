"""The requests of Anthropic's Messages API, for model servers that speak it.

A beta may change the price of an answer, such as that of a long context or of a faster one. The model server gets the
names of those betas alone that coding agents use and that do not.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from gateway.model_server.request_headers import VERSION_HEADER
from gateway.relay.fields import ToolFields
from gateway.relay.request import MAX_TOKENS, OutputLength, whole_number
from gateway.relay.stored_items import check_stored_items, refuse_field

TOKEN_COUNT_FIELDS: Final = frozenset(
    {
        "cache_control",
        "context_management",
        "messages",
        "model",
        "output_config",
        "system",
        "thinking",
        "tool_choice",
        "tools",
    }
)
MESSAGE_FIELDS: Final = TOKEN_COUNT_FIELDS | {
    "max_tokens",
    "metadata",
    "stop_sequences",
    "stream",
    "temperature",
    "top_k",
    "top_p",
    # vLLM
    "chat_template",
    "chat_template_kwargs",
}
ANTHROPIC_VERSION: Final = "2023-06-01"
"""The version whose form the gateway reads."""
_BETA: Final = re.compile(
    r"(?:claude-code|context-management|effort|extended-cache-ttl|fine-grained-tool-streaming|interleaved-thinking"
    r"|prompt-caching|structured-outputs|token-efficient-tools)-\d{4}-?\d{2}-?\d{2}",
    re.ASCII,
)
_MAX_BETAS: Final = 20
_CONTEXT_EDIT: Final = re.compile(r"clear_[a-z_]+_\d{8}")
"""Edits that leave parts of the prompt out. Others summarize it, which costs tokens of its own."""
_COMMON_OF_TOOLS: Final = frozenset({"type", "name", "cache_control", "strict", "input_examples", "defer_loading"})
_CUSTOM: Final = _COMMON_OF_TOOLS | {"description", "input_schema", "eager_input_streaming"}
_SCREEN: Final = frozenset({"display_width_px", "display_height_px", "display_number", "enable_zoom"})
MESSAGE_TOOLS: Final[ToolFields] = {
    "": _CUSTOM,
    "custom": _CUSTOM,
    "bash_*": _COMMON_OF_TOOLS,
    "text_editor_*": _COMMON_OF_TOOLS | {"max_characters"},
    "computer_*": _COMMON_OF_TOOLS | _SCREEN,
    "memory_*": _COMMON_OF_TOOLS,
}


def check_message_request(body: dict[str, Any]) -> None:
    """Refuse ids of what the model server keeps, and a context that it summarizes. Raises `OpenAiProblem` 400."""
    for name in ("messages", "system"):
        check_stored_items(body.get(name), name, skips_tool_input=True)
    context = body.get("context_management")
    if context is not None and not _only_clears(context):
        refuse_field(
            "context_management holds edits that clear parts of the context, and nothing else. Others cost tokens of "
            "their own, and are never passed on.",
            "context_management",
        )


def message_headers(betas: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The headers of a request to the model server, for a client that sent the `anthropic-beta` headers `betas`."""
    names = [name for header in betas for name in header.replace(" ", "").split(",") if _BETA.fullmatch(name)]
    passed = (("anthropic-beta", ",".join(names[:_MAX_BETAS])),) if names else ()
    return (VERSION_HEADER, ANTHROPIC_VERSION), *passed


def _only_clears(context: object) -> bool:
    if not isinstance(context, dict) or not context.keys() <= {"edits"}:
        return False
    edits = context.get("edits") or []
    return isinstance(edits, list) and all(
        isinstance(edit, dict) and isinstance(edit.get("type"), str) and _CONTEXT_EDIT.fullmatch(edit["type"])
        for edit in edits
    )


def message_output(body: dict[str, Any]) -> OutputLength:
    """Output length of a message."""
    return OutputLength(1, whole_number(body, "max_tokens", 1, MAX_TOKENS, 0) or None)
