"""The rules for a new password, and what is said of it while it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.content import Content

from store.errors import PasswordRefused
from tui.widgets.strength import strength_line

if TYPE_CHECKING:
    from tui.account import AccountService
    from tui.widgets.field import Field

MIN_PASSWORD_CHARS: Final = 8
"""Characters of a password, unless the administrator asks for more."""
MAX_PASSWORD_CHARS: Final = 1024


def rules(shortest: int, longest: int = MAX_PASSWORD_CHARS) -> str:
    """The rules in a few words. Only a `longest` that a person would reach is told."""
    if longest < MAX_PASSWORD_CHARS:
        return f"{shortest} to {longest} characters, not easy to guess"
    return f"at least {shortest} characters, not easy to guess"


async def show_strength(account: AccountService, field: Field, password: str, *known: str) -> None:
    """Say below `field` how hard `password` is to guess for somebody who knows `known`; nothing of an empty one."""
    if not password:
        field.note = Content("")
        return
    strength = await account.estimate_password(password, *known)
    field.note = strength_line(strength.score, strength.advice)


def show_match(field: Field, password: str, repeated: str) -> None:
    """Say below `field` whether the password was repeated right; nothing before anything is repeated."""
    if not repeated:
        field.note = Content("")
    elif password == repeated:
        field.note = Content.styled("✓ matches", "$text-success")
    else:
        field.note = Content.styled("○ does not match yet", "$foreground-muted")


async def password_problems(account: AccountService, password: str, repeated: str, *known: str) -> dict[str, str]:
    """The errors of a new password for somebody with these names, by field. Raises the data errors."""
    problems = {}
    try:
        await account.check_new_password(password, *known)
    except PasswordRefused as error:
        problems["password"] = str(error)
    if password != repeated:
        problems["confirmation"] = "The two passwords do not match."
    return problems
