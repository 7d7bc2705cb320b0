"""A save that met someone else's: both versions, field by field, and a choice for each."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button, Static

from screens.account_modal import AccountModal, Notice
from store.money import show_usd
from store.secret_fields import StoredSecret
from store.text import sanitize
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.toggle import Toggle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from store.sections import Section

LONGEST: Final = 160
"""Characters of a value that are shown, wrapped over a few lines."""


class Conflict(AccountModal[Any]):
    """Result: the section to save, or None to go back to the form."""

    HELP_TEXT: ClassVar[str] = (
        "Somebody saved these settings after you opened them. Each field that differs shows both values; "
        "choose one for each, then save. What you did not edit starts at what is stored. Going back keeps "
        "your form as it was."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#cancel"

    def __init__(self, base: Section, theirs: Section, mine: Section, labels: Mapping[str, str]) -> None:
        """`base` is what the form was filled with: where `mine` still says the same, nobody edited it here."""
        super().__init__()
        self._theirs, self._mine, self._labels = theirs, mine, labels
        self._differing = _differing(theirs, mine)
        self._edited = frozenset(_differing(base, mine))

    def compose(self) -> ComposeResult:
        with Dialog("Changed somewhere else"):
            yield Static(
                "These settings were saved somewhere else since you opened them. Nothing was overwritten. Choose for "
                "each which one to keep.",
                classes="dialog-body",
            )
            for name in self._differing:
                theirs, mine = shown(getattr(self._theirs, name), name), shown(getattr(self._mine, name), name)
                choice = Toggle(name in self._edited, on="yours", off="stored", id=f"keep-{name}")
                yield Field(self._labels.get(name, name), choice)
                yield Field("  stored", Static(theirs, markup=False))
                yield Field("  yours", Static(mine, markup=False))
            yield Notice()
            with Actions():
                yield ActionButton("Back", id="cancel", shortcut="esc")
                yield ActionButton("Take what is stored", id="theirs")
                yield ActionButton("Save this choice", id="save", variant="primary")

    @on(Button.Pressed, "#cancel")
    def cancel_pressed(self) -> None:
        self.action_cancel()

    @on(Button.Pressed, "#theirs")
    def take_theirs(self) -> None:
        self.dismiss(self._theirs)

    @on(Button.Pressed, "#save")
    def save_choice(self) -> None:
        from store.settings import rebased

        mine = frozenset(name for name in self._differing if self.query_one(f"#keep-{name}", Toggle).value)
        theirs: Any = self._theirs
        self.dismiss(rebased(theirs, self._mine, mine))


def _differing(one: Section, mine: Section) -> list[str]:
    """The fields whose values differ. A secret nobody typed here has no value of its own: there is none to choose."""
    return [
        field.name
        for field in fields(one)
        if getattr(one, field.name) != getattr(mine, field.name) and not _is_unread(getattr(mine, field.name))
    ]


def _is_unread(value: object) -> bool:
    return isinstance(value, StoredSecret) and value.new is None


def shown(value: object, name: str = "") -> str:
    """A field's value in words."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, StoredSecret):
        if value.new is not None:
            return "a new one" if value.new else "none"
        return f"stored ({sanitize(value.hint)})" if value.is_set else "none"
    if isinstance(value, frozenset):
        return ", ".join(sorted(sanitize(item) for item in value)) or "none"
    if name.endswith("micro_usd") and isinstance(value, int):
        return show_usd(value, exact=True)
    return _within(sanitize(value)) or "empty"


def _within(text: str) -> str:
    """Shortened in the middle: two addresses often differ at their end."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}…{text[-LONGEST // 2 + 1 :]}"
