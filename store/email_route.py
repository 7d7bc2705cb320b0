"""The recipient of e-mail warnings, as a value that screens show."""

from dataclasses import dataclass
from typing import Final

CONFIRM_EMAIL: Final = "notification:confirm"
"""The kind of the message that carries a confirmation code."""


@dataclass(frozen=True, slots=True)
class EmailRoute:
    """The recipient of an account's e-mail warnings, and an address that is not confirmed yet."""

    address: str
    """The address in use. Empty without one."""
    unconfirmed: str
    """The notification address that is not confirmed. Empty without one."""
    is_code_out: bool = False
    """True if a code for the unconfirmed address is queued or sent and is still valid."""
