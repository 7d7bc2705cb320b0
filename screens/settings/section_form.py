"""The form of one settings section: filling the controls, reading them, and comparing them with the stored section.

The module of the controls is imported where it is used, because the first screen has none.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from textual import on
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Button, Input

from screens.account_modal import Notice
from screens.settings.pane import Pane
from store.errors import InvalidInput
from store.setting_fields import Setting, secrets_of, settings_of
from store.values.sections import Saved, SectionT
from tui.widgets.field import show_errors
from tui.widgets.toggle import Toggle

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.widget import Widget
    from textual.widgets.input import Selection


class SectionForm(Pane, Generic[SectionT]):
    """A tab with the controls of one settings section. `dirty` tells whether they differ from the stored section."""

    KIND: ClassVar[type[Any]]

    dirty: reactive[bool] = reactive(False, init=False, bindings=True)

    class DirtyChanged(Message):
        """`dirty` changed."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as every widget has it
        super().__init__(id=id)
        self.saved: Saved[SectionT] | None = None
        """The stored section, as far as this console knows."""

    # -- values ----------------------------------------------------------------------------------------------

    @property
    def known(self) -> SectionT:
        """The stored section; the defaults until it was read."""
        section: SectionT = self.saved.section if self.saved is not None else self.KIND()
        return section

    def read(self) -> SectionT:
        """The section that the controls show. Raises `InvalidInput` for the first that cannot be read."""
        section: SectionT = self.KIND(
            **{setting.name: self.read_setting(setting) for setting in settings_of(self.KIND)}
        )
        return section

    def read_setting(self, setting: Setting) -> Any:
        """The value of one setting. Raises `InvalidInput`."""
        from screens.settings.setting_controls import read_value

        return read_value(self, setting, getattr(self.known, setting.name))

    def problems(self) -> dict[str, str]:
        """Every error of the controls at once, by the id of its control."""
        values, unread = {}, {}
        for setting in settings_of(self.KIND):
            try:
                values[setting.name] = self.read_setting(setting)
            except InvalidInput as error:
                values[setting.name] = getattr(self.known, setting.name)
                unread[setting.name] = str(error)
        found = {problem.field: str(problem) for problem in self.KIND(**values).problems()} | unread
        return {self.control_of(name): sentence for name, sentence in found.items()}

    def control_of(self, name: str) -> str:
        """The id of the control of a setting; `name` itself if there is no such setting."""
        from screens.settings.setting_controls import CONTROL_IDS

        return CONTROL_IDS.get(name, name)

    def fill(self, section: SectionT) -> None:
        """Put a section into the controls."""
        from screens.settings.setting_controls import show_value

        for setting in settings_of(self.KIND):
            show_value(self, setting, getattr(section, setting.name))

    def defaults(self) -> SectionT:
        """The section that Reset to Default puts into the controls. It keeps the secrets."""
        kept = {setting.name: getattr(self.known, setting.name) for setting in secrets_of(self.KIND)}
        section: SectionT = replace(self.KIND(), **kept)
        return section

    def shows(self, section: SectionT) -> bool:
        """True if the controls show `section`."""
        try:
            return self.read() == section
        except InvalidInput:
            return False

    # -- what was typed before the form was filled -------------------------------------------------------------

    def fill_first(self, saved: Saved[SectionT]) -> None:
        """Fill the form for the first time and keep what was typed before."""
        typed = self._typed()
        self.show_saved(saved)
        for put_back in typed:
            put_back()

    def was_typed(self, control: Widget) -> bool:
        """True if a control of a form that was not filled yet has another value than it was made with."""
        return isinstance(control, Toggle | Input) and bool(control.value)

    def _typed(self) -> list[Callable[[], None]]:
        """A step for each control that was changed, which puts its value back."""
        toggles = [toggle for toggle in self.query(Toggle) if self.was_typed(toggle)]
        fields = [field for field in self.query(Input) if self.was_typed(field)]
        steps: list[Callable[[], None]] = []
        steps += [partial(setattr, toggle, "value", True) for toggle in toggles]
        steps += [partial(_retype, field, field.value, field.selection) for field in fields]
        return steps

    # -- edits -------------------------------------------------------------------------------------------------

    def show_saved(self, saved: Saved[SectionT]) -> None:
        """Fill the form with the stored section. Edits are lost."""
        self.saved = saved
        with self.prevent(Toggle.Changed, Input.Changed):
            self.fill(saved.section)
        show_errors(self, {})
        self.dirty = False

    @on(Input.Changed)
    @on(Toggle.Changed)
    def edited(self) -> None:
        self.note_edit()

    def note_edit(self) -> None:
        """Compare the controls with the stored section."""
        if self.saved is not None:
            self.dirty = not self.shows(self.saved.section)

    def watch_dirty(self, dirty: bool) -> None:
        for button in self.query("#save").results(Button):
            button.disabled = not dirty
        if dirty:
            self.say("")
        self.post_message(self.DirtyChanged())

    def say(self, sentence: str, kind: str = "bad") -> None:
        """Show a sentence below the form."""
        for notice in self.query(Notice):
            notice.say(sentence, kind)
            if sentence:
                notice.scroll_visible(animate=False)


def _retype(field: Input, text: str, selection: Selection) -> None:
    field.value = text
    field.selection = selection
