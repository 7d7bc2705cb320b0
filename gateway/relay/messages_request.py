"""The requests of Anthropic's Messages API, for model servers that speak it.

The model server gets no beta header: a beta may change the price of an answer.
"""

from typing import Any, Final

from gateway.relay.fields import ToolFields
from gateway.relay.request import MAX_TOKENS, OutputLength, whole_number
from gateway.relay.stored_items import check_stored_items

TOKEN_COUNT_FIELDS: Final = frozenset(
    {"cache_control", "messages", "model", "output_config", "system", "thinking", "tool_choice", "tools"}
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
    """Refuse ids of what the model server keeps. Raises `OpenAiProblem` 400."""
    for name in ("messages", "system"):
        check_stored_items(body.get(name), name, skips_tool_input=True)


def message_output(body: dict[str, Any]) -> OutputLength:
    """Output length of a message."""
    return OutputLength(1, whole_number(body, "max_tokens", 1, MAX_TOKENS, 0) or None)
