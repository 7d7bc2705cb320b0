"""The requests of OpenAI's Responses API.

All accounts share the gateway's key at the model server. A response is stored there only if the client asks for it, and
the store notes whose it is: `previous_response_id` is one of the account's own. A request without `store` is sent with
false. Everything else that is stored is refused: a conversation, an item by its id, a prompt, a file. A client that
stores nothing sends the whole conversation as `input`, with the reasoning as `reasoning.encrypted_content`.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.relay.fields import ToolFields, check_metadata
from gateway.relay.request import MAX_TOKENS, OutputLength, whole_number
from gateway.relay.stored_items import check_stored_items, refuse_field

RESPONSE_FIELDS: Final = frozenset(
    {
        "background",
        "client_metadata",
        "conversation",
        "include",
        "input",
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "model",
        "parallel_tool_calls",
        "previous_response_id",
        "prompt_cache_key",
        "prompt_cache_retention",
        "reasoning",
        "safety_identifier",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    }
)
RESPONSE_TOOLS: Final[ToolFields] = {
    "function": frozenset({"type", "name", "description", "parameters", "strict", "defer_loading", "output_schema"}),
    "custom": frozenset({"type", "name", "description", "format", "defer_loading"}),
    "local_shell": frozenset({"type"}),
    "apply_patch": frozenset({"type"}),
    "namespace": frozenset({"type", "name", "description", "tools"}),
}
RESPONSE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_INPUT_ITEMS: Final[Mapping[str, str]] = {
    "message": "content",
    "reasoning": "encrypted_content",
    "compaction": "encrypted_content",
    "function_call": "arguments",
    "function_call_output": "output",
    "custom_tool_call": "input",
    "custom_tool_call_output": "output",
    "local_shell_call": "action",
    "local_shell_call_output": "output",
    "apply_patch_call": "operation",
    "apply_patch_call_output": "status",
}
"""The types of items that a client sends, and the member that has the content of each."""
_UNKNOWN_REASONING: Final = "rs_0"
"""The id of a reasoning item that is sent with its text: servers want one, and this one is nobody's."""
_NOT_STORED: Final = "All accounts share one key at the model server, so no item there can be named by its id."


def prepare_response(body: dict[str, Any]) -> None:
    """Refuse what runs in the background or is stored by others, and set `store`. Raises `OpenAiProblem` 400."""
    for name in ("store", "background"):
        if body.get(name) is not None and not isinstance(body[name], bool):
            refuse_field(f"{name} is true or false.", name)
    if body.get("background"):
        refuse_field(
            "An answer in the background would be read later, from the model server's storage, and could not be "
            "charged. Leave background out, and stream the answer if it takes long.",
            "background",
        )
    if body.get("conversation") is not None:
        refuse_field(f"{_NOT_STORED} Send previous_response_id, or the whole conversation as input.", "conversation")
    previous = body.get("previous_response_id")
    if previous is not None and not (isinstance(previous, str) and RESPONSE_ID.fullmatch(previous)):
        refuse_field("previous_response_id is the id of a response.", "previous_response_id")
    body["store"] = body.get("store") is True
    check_metadata(body.get("client_metadata"), "client_metadata")
    items = body.get("input")
    check_stored_items(items, "input")
    if items is None or isinstance(items, str):
        return
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        refuse_field("input is a text, or a list of items.", "input")
    for item in items:
        _check_item(item)


def check_batch(body: dict[str, Any]) -> None:
    """Refuse a batch of responses: its file may name stored responses of other accounts. Raises `OpenAiProblem` 400."""
    endpoint = body.get("endpoint", "")
    if not isinstance(endpoint, str):
        refuse_field("endpoint is a text, such as /v1/chat/completions.", "endpoint")
    if "responses" in endpoint.casefold():
        refuse_field(
            "A batch of responses is not passed on: its file could name another account's stored responses. Use "
            "/v1/chat/completions, or send the responses one by one.",
            "endpoint",
        )


def response_output(body: dict[str, Any]) -> OutputLength:
    """Output length of a response."""
    return OutputLength(1, whole_number(body, "max_output_tokens", 1, MAX_TOKENS, 0) or None)


def _has_content(value: object, member: str) -> bool:
    """True if `value` is the content itself. A server may look for an item without content by its id."""
    if member == "encrypted_content":
        return isinstance(value, str) and value != ""
    if member == "content":
        return value not in (None, "", [])
    return value is not None


def _check_item(item: dict[str, Any]) -> None:
    """Refuse an item that names a stored one, or that a tool of the model server wrote."""
    kind = item.get("type")
    if kind is None:
        kind = "message" if "role" in item else "item_reference"
    content = _INPUT_ITEMS.get(kind) if isinstance(kind, str) else None
    if content is None:
        refuse_field(
            f"An item of the input is a message, or of a tool that the client runs ({', '.join(_INPUT_ITEMS)}). "
            f"{_NOT_STORED} Send the items themselves, not their ids.",
            "input",
        )
    if _has_content(item.get(content), content):
        return
    if kind == "reasoning":
        # A server with open weights sends the text of its reasoning. Other servers would look for the item by its id.
        if item.get("content"):
            item["id"] = _UNKNOWN_REASONING
            return
        refuse_field(
            f"The input names a reasoning item by its id alone. {_NOT_STORED} Ask for it with include, as "
            "reasoning.encrypted_content, and send that; or leave the item out.",
            "input",
        )
    refuse_field(f"An item of the input has no {content}. {_NOT_STORED} Send the item itself, not its id.", "input")
