"""The dialog of a save that met a newer version: both versions, field by field, and a choice for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button, Static

from screens.account_modal import AccountModal, Notice
from store.money import show_usd
from store.secret_fields import StoredSecret
from store.setting_fields import Setting, SettingType, settings_of
from store.text import sanitize
from store.values.sections import rebased
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.choice_row import ChoiceRow
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field

if TYPE_CHECKING:
    from store.sections import Section

MINE: Final = "mine"
SAVED: Final = "saved"
MAX_SHOWN_CHARACTERS: Final = 160
"""Characters of a value that are shown, on several lines."""


class Conflict(AccountModal[Any]):
    """Result: the section to save, or None to go back to the form."""

    HELP_TEXT: ClassVar[str] = (
        "Somebody saved these settings after you opened them. Each field that differs shows both values; "
        "choose one for each, then save. What you did not edit starts at what is saved. Going back keeps "
        "your form as it was."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#cancel"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "theirs", "Take all", id="conflict.theirs", tooltip="Take every value that is saved"),
        Binding("ctrl+s", "save", "Save", id="conflict.save", tooltip="Save what is chosen here"),
    ]

    def __init__(self, base: Section, theirs: Section, mine: Section) -> None:
        """`base` is the section that the form was filled with. A value of `mine` that equals it was not edited here."""
        super().__init__()
        self._theirs, self._mine = theirs, mine
        self._differing = _differing(theirs, mine)
        self._edited = frozenset(_differing(base, mine))

    def compose(self) -> ComposeResult:
        with Dialog("Changed somewhere else"):
            yield Static(
                "These settings were saved somewhere else since you opened them. Nothing was overwritten. Choose which "
                "value to keep: yours, or the one that is saved.",
                classes="dialog-body",
            )
            for setting in self._differing:
                mine = (MINE, _shown(setting, self._mine))
                saved = (SAVED, _shown(setting, self._theirs))
                chosen = int(setting not in self._edited)
                yield Field(setting.title, ChoiceRow(mine, saved, chosen=chosen, id=f"keep-{setting.name}"))
            yield Notice()
            with Actions():
                yield ActionButton("Back", id="cancel", shortcut="esc")
                yield ActionButton("Take all that is saved", id="theirs", shortcut="t")
                yield ActionButton("Save this choice", id="save", shortcut="^s", variant="primary")

    @on(Button.Pressed, "#theirs")
    def action_theirs(self) -> None:
        self.dismiss(self._theirs)

    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        names = (setting.name for setting in self._differing)
        mine = frozenset(name for name in names if not self.query_one(f"#keep-{name}", ChoiceRow).chosen)
        theirs: Any = self._theirs
        self.dismiss(rebased(theirs, self._mine, mine))


def _differing(one: Section, mine: Section) -> list[Setting]:
    """The settings whose values differ, but for secrets that were not typed here: their value is unknown."""
    return [
        setting
        for setting in settings_of(type(one))
        if getattr(one, setting.name) != getattr(mine, setting.name) and not _is_unread(getattr(mine, setting.name))
    ]


def _is_unread(value: object) -> bool:
    return isinstance(value, StoredSecret) and value.new is None


def _shown(setting: Setting, section: Section) -> str:
    """The value of a setting in words."""
    value = getattr(section, setting.name)
    if setting.is_secret:
        if value.new is not None:
            return "a new one" if value.new else "none"
        return f"stored ({sanitize(value.hint)})" if value.is_set else "none"
    match setting.type:
        case SettingType.SWITCH:
            return "on" if value else "off"
        case SettingType.MODULES:
            return ", ".join(sorted(sanitize(item) for item in value)) or "none"
        case SettingType.MONEY:
            return show_usd(value, exact=True)
        case _:
            return _within(sanitize(value)) or "empty"


def _within(text: str) -> str:
    """`text`, shortened in the middle, because two addresses often differ at their end."""
    return (
        text
        if len(text) <= MAX_SHOWN_CHARACTERS
        else f"{text[: MAX_SHOWN_CHARACTERS // 2]}…{text[-MAX_SHOWN_CHARACTERS // 2 + 1 :]}"
    )
