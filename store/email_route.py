"""Where e-mail warnings go, as a value that screens show."""

from dataclasses import dataclass
from typing import Final

CONFIRM_EMAIL: Final = "notification:confirm"
"""The kind of the message that carries a code."""


@dataclass(frozen=True, slots=True)
class EmailRoute:
    """Where e-mail warnings of an account go."""

    address: str
    """The address in use. Empty if there is none."""
    unconfirmed: str
    """The notification address that waits for its code. Empty if none does."""
    is_code_out: bool = False
    """Whether a code for that address was sent, or is about to be, and can still be entered."""
