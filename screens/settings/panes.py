"""What every tab is: a pane that fills when first shown; and what those that save one section have in common."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

from textual import on, work
from textual.containers import VerticalScroll
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Button, Input

from screens.account_actions import AccountActions
from screens.account_modal import Notice
from store.errors import GatekeyError, InvalidInput
from store.sections import NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.confirm import Choice, Decision
from tui.widgets.field import show_errors
from tui.widgets.toggle import Toggle

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.widget import Widget
    from textual.widgets.input import Selection

    from store.settings import Saved, SettingsConflict

S = TypeVar("S", NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings)


_SIDEWAYS: Final = frozenset({"scroll_left", "scroll_right", "page_left", "page_right"})


class Pane(AccountActions, VerticalScroll, can_focus=False):
    """One tab."""

    HELP_TEXT: ClassVar[str] = ""
    """What the tab is for; the help page shows it."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as every widget has it
        super().__init__(id=id, classes="pane")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # The keys that would scroll a tab sideways switch tabs.
        return False if action in _SIDEWAYS else super().check_action(action, parameters)

    def shown(self) -> None:
        """The tab is shown, perhaps again: what it tells of may have changed. What was typed stays."""
        for notice in self.query(Notice):
            notice.take_back()
        self.reload()

    def reload(self) -> None:
        """Read from the account again."""
        raise NotImplementedError

    def focus_control(self, control: str) -> None:
        for widget in self.query(f"#{control}"):
            widget.focus()

    def tell_console(self) -> None:
        """Something changed that the line above the page tells of."""
        refresh = getattr(self.screen, "refresh_summary", None)
        if refresh is not None:
            refresh()


class SectionPane(Pane, Generic[S]):
    """A tab that edits one settings section: explicit save, dirty mark, conflicts shown field by field."""

    KIND: ClassVar[type[Any]]
    SAVE_LABEL: ClassVar[str] = "Save Settings"
    LABELS: ClassVar[dict[str, str]] = {}
    """What each field of the section is called, for the conflict dialog."""
    RESET_SENTENCE: ClassVar[str] = "These are the defaults."

    dirty: reactive[bool] = reactive(False, init=False, bindings=True)

    class DirtyChanged(Message):
        """The pane came to have, or no longer has, unsaved edits."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as every widget has it
        super().__init__(id=id)
        self.saved: Saved[S] | None = None
        """What is stored, as far as this console knows."""
        self._one_save = asyncio.Lock()

    # -- what each pane knows --------------------------------------------------------------------------------

    def read(self) -> S:
        """The section as the controls say it. Raises `InvalidInput` for what cannot be read."""
        raise NotImplementedError

    def fill(self, section: S) -> None:
        """Put a section into the controls."""
        raise NotImplementedError

    def defaults(self) -> S:
        """The section that Reset to Default puts into the controls."""
        section: S = self.KIND()
        return section

    async def loaded(self) -> None:
        """More to fetch once the section is shown."""

    # -- filling ---------------------------------------------------------------------------------------------

    def save_row(self) -> Actions:
        """The two buttons below every form."""
        return Actions(
            ActionButton(self.SAVE_LABEL, id="save", shortcut="^s", variant="primary", disabled=True),
            ActionButton("Reset to Default", id="reset"),
        )

    def shown(self) -> None:
        if self.dirty:
            self.reload()
        else:
            super().shown()

    def reload(self) -> None:
        self.load_section()

    @work(exclusive=True, group="load")
    async def load_section(self) -> None:
        """Read the section again, unless edits of it are under way: those begin from what was shown."""
        if not self.dirty:
            with self.app.hold_input(keeps=True) if self.saved is None else nullcontext():
                saved = await self.run_with_reauth(lambda: self.account.load(self.KIND))
            if saved is not None:
                self._show_again(saved.value)
        await self.loaded()

    def _show_again(self, saved: Saved[S]) -> None:
        """Show what was read, but not over an edit or a save that was quicker."""
        self.note_edit()
        if self.dirty or (self.saved is not None and saved.version < self.saved.version):
            return
        typed = [] if self.saved else self._typed()
        self._show(saved)
        for put_back in typed:
            put_back()

    def _typed(self) -> list[Callable[[], None]]:
        """What a person was quicker with than the account, each as what puts it back once the form is filled."""
        toggles = [toggle for toggle in self.query(Toggle) if self.was_typed(toggle)]
        fields = [field for field in self.query(Input) if self.was_typed(field)]
        ways: list[Callable[[], None]] = []
        ways += [partial(setattr, toggle, "value", True) for toggle in toggles]
        ways += [partial(_retype, field, field.value, field.selection) for field in fields]
        return ways

    def was_typed(self, control: Widget) -> bool:
        """Whether a control of a form that was not filled yet is other than it was made."""
        return isinstance(control, Toggle | Input) and bool(control.value)

    def _show(self, saved: Saved[S]) -> None:
        self.saved = saved
        with self.prevent(Toggle.Changed, Input.Changed):
            self.fill(saved.section)
        show_errors(self, {})
        self.dirty = False

    # -- editing ---------------------------------------------------------------------------------------------

    @on(Input.Changed)
    @on(Toggle.Changed)
    def edited(self) -> None:
        self.note_edit()

    def note_edit(self) -> None:
        """Compare the controls with what is stored."""
        if self.saved is None:
            return
        try:
            self.dirty = self.read() != self.saved.section
        except InvalidInput:
            self.dirty = True

    def watch_dirty(self, dirty: bool) -> None:
        for button in self.query("#save").results(Button):
            button.disabled = not dirty
        if dirty:
            self.say("")
        self.post_message(self.DirtyChanged())

    # Textual runs every decorated handler of the classes a pane is made of: a pane overrides what this one calls.
    @on(Button.Pressed, "#reset")
    def reset(self) -> None:
        """Fill the form with the defaults; they are saved with Save like any other edit."""
        self.fill(self.defaults())
        self.note_edit()
        self.say(f"{self.RESET_SENTENCE} Save to keep them." if self.dirty else self.RESET_SENTENCE, "muted")

    # -- saving ----------------------------------------------------------------------------------------------

    @on(Button.Pressed, "#save")
    def save(self) -> None:
        if self.saved is not None and self.dirty:
            self.save_section()

    @work(group="save")
    async def save_section(self) -> None:
        await self.save_now()

    async def save_now(self) -> bool:
        """Save, after a save that is under way; True if all of it is stored now. Call it in a worker."""
        async with self._one_save:
            return not self.dirty or await self._save()

    async def _save(self) -> bool:
        if self.saved is None:
            return False
        problems = self.problems()
        if problems:
            show_errors(self, problems)
            return False
        section = self.read()
        stored = await self._store(section, self.saved)
        if stored is None:
            return False
        if self._holds(section):
            self._show(stored)
            self.say("Saved.", "good")
        else:
            self.saved = stored
            self.note_edit()
            self.say("Saved, but for what you typed since. Save again to keep that.", "warning")
        self.tell_console()
        await self.loaded()
        return not self.dirty

    def _holds(self, section: S) -> bool:
        """Whether the controls still say that."""
        try:
            return self.read() == section
        except InvalidInput:
            return False

    def problems(self) -> dict[str, str]:
        """Every error of the controls at once, by the id of its control."""
        return {}

    async def _store(self, section: S, base: Saved[S]) -> Saved[S] | None:
        """Save `section`, which was edited from `base`; what is stored then, or None to go back to the form."""
        from store.settings import SettingsConflict

        while True:
            outcome = await self.run_with_reauth(partial(self._stored_or_theirs, section, base))
            if outcome is None:
                return None
            if not isinstance(outcome.value, SettingsConflict):
                return outcome.value
            theirs: Saved[S] = outcome.value.theirs
            from screens.settings.conflict import Conflict

            question = Conflict(base.section, theirs.section, section, self.LABELS)
            settled: S | None = await self.app.push_screen_wait(question)
            if settled is None:
                return None
            if settled == theirs.section:
                return theirs
            section, base = settled, theirs

    async def _stored_or_theirs(self, section: S, base: Saved[S]) -> Saved[S] | SettingsConflict:
        from store.settings import SettingsConflict

        try:
            return await self.account.save(section, base.version)
        except SettingsConflict as conflict:
            return conflict

    async def confirm_leave(self) -> bool:
        """Ask what to do with unsaved edits. Call it in a worker."""
        title = self.border_title or (self.id or "").replace("-", " ").title()
        decision = await self.app.push_screen_wait(
            Choice("Unsaved changes", f"The {title} tab has changes that are not saved.")
        )
        if decision is Decision.SAVE:
            return await self.save_now()
        return decision is Decision.DISCARD

    def show_failure(self, error: GatekeyError) -> None:
        unplaced = show_errors(self, {error.field: str(error)} if error.field else {})
        self.say("" if error.field and not unplaced else f"{error.title}. {error}")

    def say(self, sentence: str, kind: str = "bad") -> None:
        for notice in self.query(Notice):
            notice.say(sentence, kind)
            if sentence:
                notice.scroll_visible(animate=False)


def _retype(field: Input, text: str, selection: Selection) -> None:
    field.value = text
    field.selection = selection
