"""The rows of the Security tab that have a sentence in the place of their buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from screens.settings.security_rows import ROWS, Words

if TYPE_CHECKING:
    from tui.account import Capabilities

_ROWS_BY_ACTION: Final = {"sign_out_others": "sessions", "others": "sessions"}
"""The rows of the actions whose names are not their rows'."""
_COUNTS: Final = {4: "four", 8: "eight", 10: "ten"}


def row_limits(can: Capabilities) -> dict[str, str]:
    """The sentence of each row that has nothing to press, by the name of the row."""
    rows = {
        "password": can.no_password_change,
        "passkeys": can.no_passkeys,
        "two-factor": can.no_two_factor,
        "ssh-keys": can.no_ssh_keys,
        "sessions": can.no_sessions,
        "activity": can.no_activity,
        "export": can.no_export,
        "delete": can.no_deletion,
    }
    return {name: sentence for name, sentence in rows.items() if sentence}


def limit_of(action: str, can: Capabilities) -> str:
    """The sentence of an action that the account cannot do; empty if it can."""
    if action == "revoke_token":
        return can.no_token_revocation
    return row_limits(can).get(_ROWS_BY_ACTION.get(action, action.replace("_", "-")), "")


def row_words(name: str, can: Capabilities) -> Words:
    """The words of a row, as far as they are true of this account."""
    words = ROWS[name]
    if name in row_limits(can):
        return words._replace(consequence="")
    if name in ("password", "passkeys") and can.other_sessions_stay:
        first = "Takes effect immediately. " if name == "password" else f"{words.consequence} "
        return words._replace(consequence=f"{first}{can.other_sessions_stay}")
    if name == "two-factor":
        return words._replace(about=words.about.replace("ten backup", f"{count_word(can)} backup"))
    if name == "delete" and can.deletion_keeps:
        return Words("It cannot be undone.", can.deletion_keeps, "The operation cannot be reversed.")
    return words


def count_word(can: Capabilities) -> str:
    """The number of backup codes of one set, as a word."""
    return _COUNTS.get(can.backup_codes, str(can.backup_codes))


def others_ended(can: Capabilities) -> str:
    """The sentence on the other sessions, after a change that ends them where it can."""
    return can.other_sessions_stay or "Other sessions were signed out."
