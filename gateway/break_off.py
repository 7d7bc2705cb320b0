"""Ends a response in the middle, so that its client knows that it is not whole.

ASGI has no message for that. An exception would do, but servers log one as a mistake of the application.
"""

from collections.abc import Callable
from typing import Final

from starlette.types import Scope

_KEY: Final = "gatekey.break_off"
"""Key of the server's callback in an ASGI scope."""


def offer_break_off(scope: Scope, act: Callable[[], None]) -> None:
    """Let the application break off the response to `scope` by `act`, which closes the connection."""
    scope[_KEY] = act


def can_break_off(scope: Scope) -> bool:
    """True if the server of `scope` offers it."""
    return _KEY in scope


def break_off(scope: Scope) -> None:
    """Close the connection without the end of the response. Only if `can_break_off`."""
    scope[_KEY]()
