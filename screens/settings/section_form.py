"""The form of one settings section: filling the controls, reading them, and comparing them with the stored section.

The module of the controls is imported where it is used, because the first screen has none.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic

from textual import on
from textual.reactive import reactive
from textual.widgets import Button, Input, Static

from screens.account_modal import Notice
from screens.relative_time import ago
from screens.settings.pane import Pane
from store.errors import InvalidInput
from store.setting_fields import Setting, secrets_of, settings_of
from store.text import pluralize
from store.values.sections import Saved, SectionT
from tui.widgets.action_button import ActionButton
from tui.widgets.field import Field, show_errors
from tui.widgets.help_line import HelpLine
from tui.widgets.row_walk import RowWalk
from tui.widgets.secret_input import SecretInput
from tui.widgets.stored_secret import StoredSecretInput
from tui.widgets.toggle import Toggle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.widget import Widget
    from textual.widgets.input import Selection


CHANGES: Final = (Toggle.Changed, Input.Changed, SecretInput.Changed)
"""Messages of an edit, for `prevent`, which holds back exactly these and none of a child class (Textual 8.2.8)."""


class SectionForm(Pane, Generic[SectionT]):
    """A tab with the controls of one settings section. `dirty` tells whether they differ from the stored section."""

    KIND: ClassVar[type[Any]]
    IS_FORM = True

    unsaved_changes: reactive[int] = reactive(0, init=False, bindings=True)
    """The number of settings whose control differs from the stored value."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as every widget has it
        super().__init__(id=id)
        self.saved: Saved[SectionT] | None = None
        """The stored section, as far as this console knows."""
        self.edited_settings: list[Setting] = []
        """The settings whose control differs from the stored value."""
        self._shown_unsaved = (0, False)
        self._discarded: list[Callable[[], None]] = []
        """Steps that bring the edits back that were discarded last."""

    @property
    def dirty(self) -> bool:
        """True if the controls differ from the stored section."""
        return self.unsaved_changes > 0

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

    def controls(self) -> Iterator[Toggle | Input]:
        """The controls whose values make up the section."""
        return chain(self.query(Toggle), self.query(Input))

    def _typed(self) -> list[Callable[[], None]]:
        """A step for each control that was changed, which puts its value back."""
        return [_put_back(control) for control in self.controls() if self.was_typed(control)]

    # -- edits -------------------------------------------------------------------------------------------------

    def show_saved(self, saved: Saved[SectionT]) -> None:
        """Fill the form with the stored section. Edits are lost."""
        self.saved = saved
        self._discarded = []
        with self.prevent(*CHANGES):
            self.fill(saved.section)
        show_errors(self, {})
        self.unsaved_changes, self.edited_settings = 0, []
        self._show_unsaved()
        self._tell_last_change(saved)

    @on(Input.Changed)
    @on(Toggle.Changed)
    def edited(self) -> None:
        self._discarded = []
        self.say("")
        self.note_edit()

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        """Go on to the next row."""
        for page in event.input.ancestors:
            if isinstance(page, RowWalk):
                page.action_walk(1)
                return

    def note_edit(self) -> None:
        """Compare the controls with the stored section."""
        if self.saved is not None:
            self.edited_settings = self.changed_settings(self.saved.section)
            self.unsaved_changes = self.count_changes(self.saved.section)
            self._show_unsaved()

    def count_changes(self, _section: SectionT) -> int:
        """The number of edits that the form tells, compared with `section`."""
        return len(self.edited_settings)

    def changed_settings(self, section: SectionT) -> list[Setting]:
        """The settings whose control does not show the value in `section`."""
        return [setting for setting in settings_of(self.KIND) if self._differs(setting, section)]

    def _differs(self, setting: Setting, section: SectionT) -> bool:
        try:
            return bool(self.read_setting(setting) != getattr(section, setting.name))
        except InvalidInput:
            return True

    def watch_unsaved_changes(self, before: int, after: int) -> None:
        if bool(before) is not bool(after):
            self.post_message(self.DirtyChanged())

    def _show_unsaved(self) -> None:
        """Say in the row of buttons how many edits there are, and which buttons have something to do."""
        count = self.unsaved_changes
        # A layout for every letter would be slow.
        if self._shown_unsaved == (count, bool(self._discarded)):
            return
        self._shown_unsaved = (count, bool(self._discarded))
        for label in self.query("#unsaved").results(Static):
            label.update(f"{pluralize(count, 'unsaved change')}" if count else "")
        for button in self.query("#save").results(Button):
            button.disabled = not count
        for button in self.query("#discard").results(Button):
            button.disabled = not count and not self._discarded
            button.label = "Bring back" if self._discarded else "Discard"
            button.refresh(layout=True)
        self.refresh_bindings()

    # -- taking edits back -------------------------------------------------------------------------------------

    @property
    def can_bring_back(self) -> bool:
        """True if edits were discarded, and nothing was edited since."""
        return bool(self._discarded)

    def discard(self) -> None:
        """Show the stored section again. `bring_back` undoes it."""
        if self.saved is None or not self.dirty:
            return
        edits = [(control, _value_of(control), _put_back(control)) for control in self.controls()]
        self.show_saved(self.saved)
        self._discarded = [put_back for control, value, put_back in edits if _value_of(control) != value]
        self._after_discarding()

    def bring_back(self) -> None:
        """Show the edits again that were discarded last."""
        steps, self._discarded = self._discarded, []
        with self.prevent(*CHANGES):
            for put_back in steps:
                put_back()
        self.note_edit()
        self.say("Your edits are back.", "muted")

    def _after_discarding(self) -> None:
        self.note_edit()
        keys = [button.current_key for button in self.query("#discard").results(ActionButton) if button.current_key]
        self.say(f"Edits discarded. {keys[0]} brings them back." if keys else "Edits discarded.", "muted")

    # -- sentences ---------------------------------------------------------------------------------------------

    def _tell_last_change(self, saved: Saved[SectionT]) -> None:
        """Let every field tell when the section was saved last."""
        if saved.changed_at is None:
            return
        for field in self.query(Field):
            field.last_change = f"Last changed {ago(saved.changed_at, self.account.now())}."
        for line in self.screen.query(HelpLine):
            line.read_again()

    def say(self, sentence: str, kind: str = "bad") -> None:
        """Show a sentence below the form."""
        for notice in self.query(Notice):
            if sentence:
                notice.say(sentence, kind)
                notice.scroll_visible(animate=False)
            else:
                notice.clear_sentence()


def _value_of(control: Toggle | Input) -> object:
    return (control.value, control.is_cleared) if isinstance(control, StoredSecretInput) else control.value


def _put_back(control: Toggle | Input) -> Callable[[], None]:
    """A step that gives the control its present value again."""
    if isinstance(control, Toggle):
        return partial(setattr, control, "value", control.value)
    is_cleared = isinstance(control, StoredSecretInput) and control.is_cleared
    return partial(_retype, control, control.value, control.selection, is_cleared=is_cleared)


def _retype(field: Input, text: str, selection: Selection, *, is_cleared: bool) -> None:
    field.value = text
    field.selection = selection
    if isinstance(field, StoredSecretInput):
        field.is_cleared = is_cleared
