"""The rules for a new password, and its strength while it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tui.account import AccountService
    from tui.widgets.strength import StrengthMeter

MIN_PASSWORD_CHARS: Final = 8
"""Characters of a password, unless the administrator asks for more."""


async def show_strength(account: AccountService, meter: StrengthMeter, password: str, *known: str) -> None:
    """Show how hard `password` is to guess for somebody who knows `known`; nothing for an empty one."""
    if not password:
        meter.score, meter.hint = None, ""
        return
    strength = await account.estimate_password(password, *known)
    meter.score, meter.hint = strength.score, strength.advice
