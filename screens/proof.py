"""The proof of identity that the lock and the reauthentication dialog ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.errors import GatekeyError, SessionEnded
from tui.widgets.field import show_errors
from tui.widgets.secret_input import CodeInput, SecretInput

if TYPE_CHECKING:
    from screens.account_actions import AccountActions


async def give_proof(form: AccountActions, *, by_code: bool = False) -> bool:
    """Give the account what was typed into `#code`, or else into `#password`; returns whether it was accepted.

    `by_code` if only a code is taken. If it was refused, `form` shows the failure. If the session has ended, the
    sign-in screen is shown.
    """
    if not form.query_one("#password", SecretInput).value and not form.query_one("#code", CodeInput).value.strip():
        # An empty password would count as a wrong one.
        if by_code:
            show_errors(form, {"code": "Enter a code."})
        else:
            show_errors(form, {"password": "Enter your password."})
        return False
    password, code = form.query_one("#password", SecretInput), form.query_one("#code", CodeInput)
    try:
        if code.value.strip():
            await form.account.prove_with_code(code.code)
        else:
            await form.account.prove_with_password(password.value)
    except SessionEnded as error:
        form.app.session_ended(error)
    except GatekeyError as error:
        password.clear()
        form.show_failure(error)
    else:
        return True
    return False
