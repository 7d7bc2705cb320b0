"""The dialog of a save that met a newer version: both versions, field by field, and a choice for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.widgets import Button, Static

from screens.account_modal import AccountModal, Notice
from store.money import show_usd
from store.secret_fields import StoredSecret
from store.setting_fields import Setting, SettingType, settings_of
from store.text import sanitize
from store.values.sections import rebased
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.dialog import Dialog
from tui.widgets.field import Field
from tui.widgets.toggle import Toggle

if TYPE_CHECKING:
    from store.sections import Section

MAX_SHOWN_CHARACTERS: Final = 160
"""Characters of a value that are shown, on several lines."""


class Conflict(AccountModal[Any]):
    """Result: the section to save, or None to go back to the form."""

    HELP_TEXT: ClassVar[str] = (
        "Somebody saved these settings after you opened them. Each field that differs shows both values; "
        "choose one for each, then save. What you did not edit starts at what is stored. Going back keeps "
        "your form as it was."
    )
    AUTO_FOCUS: ClassVar[str | None] = "#cancel"

    def __init__(self, base: Section, theirs: Section, mine: Section) -> None:
        """`base` is the section that the form was filled with. A value of `mine` that equals it was not edited here."""
        super().__init__()
        self._theirs, self._mine = theirs, mine
        self._differing = _differing(theirs, mine)
        self._edited = frozenset(_differing(base, mine))

    def compose(self) -> ComposeResult:
        with Dialog("Changed somewhere else"):
            yield Static(
                "These settings were saved somewhere else since you opened them. Nothing was overwritten. Choose for "
                "each which one to keep.",
                classes="dialog-body",
            )
            for setting in self._differing:
                choice = Toggle(setting in self._edited, on="yours", off="stored", id=f"keep-{setting.name}")
                yield Field(setting.title, choice)
                yield Field("  stored", Static(_shown(setting, self._theirs), markup=False))
                yield Field("  yours", Static(_shown(setting, self._mine), markup=False))
            yield Notice()
            with Actions():
                yield ActionButton("Back", id="cancel", shortcut="esc")
                yield ActionButton("Take what is stored", id="theirs")
                yield ActionButton("Save this choice", id="save", variant="primary")

    @on(Button.Pressed, "#theirs")
    def take_theirs(self) -> None:
        self.dismiss(self._theirs)

    @on(Button.Pressed, "#save")
    def save_choice(self) -> None:
        names = (setting.name for setting in self._differing)
        mine = frozenset(name for name in names if self.query_one(f"#keep-{name}", Toggle).value)
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
