"""Loading, saving and resetting one settings section. A save that meets a newer version shows both, field by field."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on, work
from textual.widgets import Button, Static

from screens.settings.section_form import CHANGES, SectionForm
from store.errors import GatekeyError, ServerUnreachable
from store.setting_fields import Setting
from store.values.sections import Saved, SectionT, SettingsConflict
from tui.widgets.action_button import ActionButton
from tui.widgets.actions import Actions
from tui.widgets.field import show_at_field, show_errors

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNSAVED: Final = "Nothing was saved; what you typed stays here."
MAX_SUMMARIZED: Final = 3
"""Settings that are named after a save."""


class SectionPane(SectionForm[SectionT]):
    """A tab that edits one settings section: it loads, saves and resets its form."""

    SAVE_LABEL: ClassVar[str] = "Save Settings"
    RESET_SENTENCE: ClassVar[str] = "These are the defaults."

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as every widget has it
        super().__init__(id=id)
        self._one_save = asyncio.Lock()

    def save_row(self) -> Actions:
        """The row of buttons below every form, with the number of edits."""
        return Actions(
            ActionButton(self.SAVE_LABEL, id="save", shortcut="^s", variant="primary", disabled=True),
            ActionButton("Discard", id="discard", shortcut="u", disabled=True),
            ActionButton("Reset to Default", id="reset", shortcut="R"),
            Static("", id="unsaved", classes="warning", markup=False),
        )

    # -- loading -----------------------------------------------------------------------------------------------

    async def loaded(self) -> None:
        """Fetch more once the section is shown."""

    def shown(self) -> None:
        if self.dirty:
            self.reload()
        else:
            super().shown()

    def reload(self) -> None:
        self.load_section()

    @work(exclusive=True, group="load")
    async def load_section(self) -> None:
        """Read the section again, unless it has unsaved edits, which are based on the section that was shown."""
        with self.reading(is_whole=not self.dirty):
            if not self.dirty:
                with self.app.hold_input(keeps=True) if self.saved is None else nullcontext():
                    saved = await self.fetch(lambda: self.account.load(self.KIND))
                await self.complete()
                if saved is None:
                    return
                self._show_again(saved.value)
            await self.loaded()

    def _show_again(self, saved: Saved[SectionT]) -> None:
        """Show the section that was read, unless an edit or a newer save came first."""
        self.note_edit()
        if self.saved is None:
            self.fill_first(saved)
        elif not self.dirty and saved.version >= self.saved.version:
            self.show_saved(saved)

    # Textual runs the decorated handlers of all base classes, so a pane overrides what this one calls.
    @on(Button.Pressed, "#reset")
    def reset(self) -> None:
        """Fill the form with the defaults. Save stores them, as any other edit."""
        self._discarded = []
        with self.prevent(*CHANGES):
            self.fill(self.defaults())
        self.note_edit()
        self.say(f"{self.RESET_SENTENCE} Save to keep them." if self.dirty else self.RESET_SENTENCE, "muted")

    @on(Button.Pressed, "#discard")
    def discard_or_bring_back(self) -> None:
        if self.can_bring_back:
            self.bring_back()
        else:
            self.discard()

    # -- saving ------------------------------------------------------------------------------------------------

    @on(Button.Pressed, "#save")
    def save(self) -> None:
        if self.saved is not None and self.dirty:
            self.save_section()

    @work(group="save")
    async def save_section(self) -> None:
        await self.save_now()

    async def save_now(self) -> bool:
        """Save, after a save that is under way. True if every edit is stored now. Call it in a worker."""
        async with self._one_save:
            return not self.dirty or await self._save()

    async def _save(self) -> bool:
        if self.saved is None:
            return False
        problems = self.problems()
        if problems:
            self.reveal(problems)
            show_errors(self, problems)
            return False
        section, changed = self.read(), self.changed_settings(self.saved.section)
        stored = await self._store(section, self.saved)
        if stored is None:
            return False
        if self.shows(section):
            self.show_saved(stored)
            self.say(f"Saved. {self.summarize(changed, section)}", "good")
        else:
            self.saved = stored
            self.note_edit()
            self.say("Saved, but for what you typed since. Save again to keep that.", "warning")
        self.tell_console()
        with self.reading():
            await self.loaded()
        return not self.dirty

    async def _store(self, section: SectionT, base: Saved[SectionT]) -> Saved[SectionT] | None:
        """Save `section`, which was edited from `base`. Returns the stored section, or None to go back to the form."""
        while True:
            outcome = await self.run_with_reauth(
                partial(self._stored_or_theirs, section, base), tell=self._tell_unsaved
            )
            if outcome is None:
                return None
            if not isinstance(outcome.value, SettingsConflict):
                return outcome.value
            theirs: Saved[SectionT] = outcome.value.theirs
            if theirs.section == section:  # as after a save whose answer was lost
                return theirs
            from screens.settings.conflict import Conflict

            question = Conflict(base.section, theirs.section, section)
            settled: SectionT | None = await self.app.push_screen_wait(question)
            if settled is None:
                return None
            if settled == theirs.section:
                return theirs
            section, base = settled, theirs

    async def _stored_or_theirs(self, section: SectionT, base: Saved[SectionT]) -> Saved[SectionT] | SettingsConflict:
        try:
            return await self.account.save(section, base.version)
        except SettingsConflict as conflict:
            return conflict

    async def confirm_leave(self) -> bool:
        """Ask what to do with unsaved edits. Call it in a worker."""
        from tui.widgets.confirm import Choice, Decision

        title = self.border_title or (self.id or "").replace("-", " ").title()
        decision = await self.app.push_screen_wait(
            Choice("Unsaved changes", f"The {title} tab has changes that are not saved.")
        )
        if decision is Decision.SAVE:
            return await self.save_now()
        return decision is Decision.DISCARD

    def summarize(self, changed: list[Setting], section: SectionT) -> str:
        """The settings that a save changed, and their new values, in one line."""
        from screens.settings.setting_controls import describe

        parts: list[str] = [describe(setting, getattr(section, setting.name)) for setting in changed[:MAX_SUMMARIZED]]
        more = len(changed) - len(parts)
        return " · ".join([*parts, f"{more} more"] if more > 0 else parts)

    def reveal(self, controls: Iterable[str]) -> None:
        """Make the controls of these ids visible, before an error is shown there."""

    def _tell_unsaved(self, error: GatekeyError) -> None:
        self.show_failure(error)
        if isinstance(error, ServerUnreachable):
            self.say(f"{error.title}. {error} {_UNSAVED}")

    def show_failure(self, error: GatekeyError) -> None:
        self.reveal([self.control_of(error.field)])
        is_placed = show_at_field(self, error, self.control_of(error.field))
        self.say("" if is_placed else f"{error.title}. {error}")
