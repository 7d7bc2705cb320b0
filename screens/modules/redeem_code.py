"""Redeeming a code."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button, Input

from screens.account_modal import AccountModal, Notice
from screens.limited_text import reworded
from store.values.redeem_codes import Redeemed
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field, show_errors
from tui.widgets.text_input import TextInput

_WRONG_ONES: Final = (
    "Five wrong codes in a row lock this for a minute, and more of them for longer; signing in is not affected."
)


class RedeemCode(AccountModal[Redeemed]):
    """Result: the redeemed amount and the balance, or None."""

    HELP_TEXT: ClassVar[str] = (
        "A code adds its amount to your balance. Each code works once, for one account. " + _WRONG_ONES
    )
    AUTO_FOCUS: ClassVar[str | None] = "#code"

    @property
    def purpose(self) -> str:
        counted = self.account.capabilities.codes_count_as_sign_ins
        return reworded(self.HELP_TEXT, (counted, _WRONG_ONES, counted))

    def compose(self) -> ComposeResult:
        other_form = self.account.capabilities.other_codes
        with Dialog("Redeem a code"):
            yield Field(
                "Code",
                TextInput(id="code", max_length=128, placeholder="" if other_form else "XXXXX-XXXXX-XXXXX-XXXXX-XXXXX"),
                help=other_form or "25 letters and digits. Capitals, spaces and dashes do not matter.",
            )
            yield Notice()
            with Actions():
                yield ActionButton("Cancel", id="cancel", shortcut="esc")
                yield ActionButton("Redeem", id="redeem", shortcut="enter", variant="primary")

    @on(Input.Submitted)
    @on(Button.Pressed, "#redeem")
    def redeem_pressed(self) -> None:
        if not self.query_one("#code", Input).value.strip():
            show_errors(self, {"code": "Enter the code that you were given."})
        else:
            self.submit(self._redeem)

    async def _redeem(self) -> None:
        code = self.query_one("#code", Input).value
        done = await self.run_with_reauth(lambda: self.account.redeem_code(code))
        if done is not None:
            self.dismiss(done.value)
