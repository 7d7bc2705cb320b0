"""The operational recommendations. Enter goes to the setting."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, OptionList, Static
from textual.widgets.option_list import Option

from screens.account_modal import AccountModal
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog

if TYPE_CHECKING:
    from store.values.recommendations import Check

FOLLOWED: Final = ("✓", "followed", "$text-success")
ADVISED: Final = ("▲", "advised", "$text-warning")
"""Mark, word and colour of a recommendation."""
CONTROLS_BY_ADVICE: Final = {
    "two-factor": ("security", "two-factor"),
    "backup-codes": ("security", "two-factor"),
    "access-token": ("security", "token"),
    "quota-warning": ("notifications", "quota-warning-threshold"),
    "pricing": ("price", "accept-unpriced-models"),
}
"""The tab and the control where each is followed."""


class RecommendationList(AccountModal[str | None]):
    """Result: the chosen advice, or None."""

    HELP_TEXT: ClassVar[str] = (
        "Checks of the account as it is now. A tick is followed, a triangle is not yet; Enter "
        "goes to the setting where it can be followed."
    )
    AUTO_FOCUS: ClassVar[str | None] = "OptionList"

    def __init__(self, checks: tuple[Check, ...]) -> None:
        super().__init__()
        self._checks = checks

    def compose(self) -> ComposeResult:
        met = sum(check.is_met for check in self._checks)
        with Dialog("Operational Recommendations", subtitle=f"{met} of {len(self._checks)} followed"):
            yield Static("To maintain a secure and stable environment:", classes="dialog-body muted")
            yield OptionList(*[self._option(check) for check in self._checks], compact=True, markup=False)
            with Actions(classes="-apart"):
                yield ActionButton("Close", id="cancel", shortcut="esc")
                yield ActionButton("Go to the setting", id="go", shortcut="enter", variant="primary")

    def _option(self, check: Check) -> Option:
        mark, word, colour = FOLLOWED if check.is_met else ADVISED
        title = Content.assemble((f"{mark} ", colour), (check.title, "bold"))
        state = Content.assemble((f"  {word}", colour), (f" · {sanitize(check.finding)}", "$foreground-muted"))
        return Option(Content("\n").join([title, state]), id=check.advice.value)

    @on(OptionList.OptionSelected)
    def chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    @on(Button.Pressed, "#go")
    def go_pressed(self) -> None:
        index = self.query_one(OptionList).highlighted
        if index is not None:
            self.dismiss(self._checks[index].advice.value)
