"""The sentence of a failure, as a form shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.errors import GatekeyError


def failure_text(error: GatekeyError) -> str:
    """The sentence of `error`, and how many tries are left before a wait."""
    left = error.tries_left
    return f"{error} {left} more {'try' if left == 1 else 'tries'}." if left else str(error)
