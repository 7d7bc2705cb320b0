"""Edits and variations of pictures, whose requests are forms."""

from typing import Any, Final

from gateway.relay.prompt_estimate import BYTES_PER_TOKEN
from gateway.relay.request import MAX_CHOICES, OutputLength, whole_number
from gateway.relay.stored_items import refuse_field

PICTURE_FILES: Final = frozenset({"image", "mask"})
VARIATION_FIELDS: Final = frozenset({"image", "model", "n", "response_format", "size", "stream", "user"})
EDIT_FIELDS: Final = VARIATION_FIELDS | {
    "background",
    "input_fidelity",
    "mask",
    "moderation",
    "output_compression",
    "output_format",
    "prompt",
    "quality",
    "safety_identifier",
    # self-hosted
    "guidance_scale",
    "negative_prompt",
    "num_inference_steps",
    "seed",
    "strength",
}
TOKENS_PER_DRAWING: Final = 8000
"""Held for each generated picture. Where pictures are priced per request, a token costs nothing; where they are priced
by tokens, a large one in the best quality has above 6,000."""
_TOKENS_PER_INPUT: Final = 8000
"""Held for each picture that is sent: one in high fidelity has up to 6,000."""


def check_pictures(body: dict[str, Any]) -> None:
    """Read `n`, and refuse a request without a picture. Raises `OpenAiProblem` 400."""
    if not body.get("image"):
        refuse_field("Send the picture as image.", "image")
    if "n" in body:
        text = body["n"]
        body["n"] = int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 5 else text


def image_output(body: dict[str, Any]) -> OutputLength:
    """Output length of a picture request."""
    return OutputLength(whole_number(body, "n", 1, MAX_CHOICES), TOKENS_PER_DRAWING)


def picture_prompt(body: dict[str, Any]) -> int:
    """Input tokens of the pictures and of the text beside them."""
    pictures = sum(len(body.get(name, ())) for name in PICTURE_FILES)
    text = sum(len(str(body.get(name, "")).encode()) for name in ("prompt", "negative_prompt"))
    return _TOKENS_PER_INPUT * pictures + -(-text // BYTES_PER_TOKEN)
