"""The application without its screens: input queue, themes, idle lock, crash safety, signals.

Screens ask a `Host` for what only the application can do. `screens.app.GatekeyApp` implements it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType

from tui.crash import SafeCrashMixin
from tui.driver import console_driver
from tui.input_queue import InputPassed, InputQueue
from tui.leave import LeaveMixin
from tui.screen_workers import CancelScreenWorkers
from tui.themes import THEME_NAMES, gatekey_themes

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from textual.screen import Screen

    from tui.account import AccountService
    from tui.keymap import ConsoleConfig

STYLES: Final = Path(__file__).parents[1] / "styles"
WIDGET_STYLE_SHEETS: Final = ("base", "forms", "dialogs")
STYLE_SHEETS: Final = (*WIDGET_STYLE_SHEETS, "console", "settings", "modules", "sign_in")
"""In order: of two rules with the same specificity the later one wins."""
HELP_IN_DIALOGS: Final = ("modal.help", "confirm.help", "choice.help", "palette.help")
"""Bindings that do what `app.help` does."""
FAULTS_SHOWN_FOR: Final = 8.0
"""Seconds. The sentence lies over what is done meanwhile, and doctor keeps it."""
LOCK_CHECKED_EVERY: Final = 5.0
"""Seconds between two looks at the clock for the idle lock."""


class Host(LeaveMixin, CancelScreenWorkers, SafeCrashMixin, App[None]):
    """The application as screens see it. Abstract: a subclass brings the screens."""

    TITLE = "Gatekey"
    CSS_PATH = [STYLES / f"{name}.tcss" for name in STYLE_SHEETS]  # noqa: RUF012 - read once by Textual
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", id="app.quit", tooltip="Leave Gatekey", priority=True),
        Binding(
            "f1,question_mark", "help", "Help", id="app.help", key_display="?", tooltip="What this is, and its keys"
        ),
        Binding(
            "ctrl+l",
            "lock",
            "Lock",
            id="app.lock",
            show=False,
            tooltip="Lock the console until you prove who you are",
            priority=True,
        ),
    ]

    def __init__(
        self, account: AccountService, config: ConsoleConfig | None = None, *, banner: str | None = None
    ) -> None:
        from tui.keymap import ConsoleConfig
        from tui.terminal import native_colours, starting_theme

        super().__init__(driver_class=console_driver(), ansi_color=native_colours(os.environ))
        self.account = account
        self.config = config or ConsoleConfig()
        self.banner = banner
        """A warning for the top of the console, such as a shared tmux session."""
        self._last_input = time.monotonic()
        self._input = InputQueue(self)
        for theme in gatekey_themes():
            self.register_theme(theme)
        self.theme = starting_theme(os.environ, self.config.theme)
        self._css_variables = self.get_css_variables()
        self.stylesheet.set_variables(self._css_variables)

    def on_mount(self) -> None:
        self.animation_level = self.config.animations
        keys = dict(self.config.keys)
        if "app.help" in keys:
            # A dialog hides the bindings of the application, and has the key of its own only for that.
            keys = dict.fromkeys(HELP_IN_DIALOGS, keys["app.help"]) | keys
        self.set_keymap(keys)
        self.leave_on_signals()
        if self.account.starts_signed_in:
            self.show_console()
        else:
            self.show_sign_in()
        self._tell_of_faults()
        self.set_interval(LOCK_CHECKED_EVERY, self._lock_if_idle)

    def _tell_of_faults(self) -> None:
        """Say what in the person's own file has no effect: they would wait for a key that never works."""
        from tui.keymap import CONFIG_NAME

        match self.config.faults:
            case ():
                return
            case (only,):
                sentence = only
            case faults:
                sentence = f"{len(faults)} entries of {CONFIG_NAME} have no effect; gatekey doctor names each."
        self.notify(sentence, title=CONFIG_NAME, severity="warning", markup=False, timeout=FAULTS_SHOWN_FOR)

    def refresh_css(self, animate: bool = True) -> None:
        """Apply the styles again, and parse them again only if a colour changed: Textual does so at every start."""
        variables = self.get_css_variables()
        if variables != self._css_variables:
            self._css_variables = variables
            super().refresh_css(animate=animate)
            return
        self.stylesheet.update(self, animate=animate)
        for screen in self.screen_stack:
            self.stylesheet.update(screen, animate=animate)
            screen.refresh(layout=True)

    # -- implemented by the application that knows the screens -------------------------------------------------

    def show_sign_in(self, sentence: str = "") -> None:
        """Replace every screen by the sign-in screen. `sentence` says why."""
        raise NotImplementedError

    def show_console(self) -> None:
        """Replace every screen by the console."""
        raise NotImplementedError

    def show_first_run(self, sentence: str = "") -> None:
        """Replace every screen by the creation of the first account. `sentence` says why."""
        raise NotImplementedError

    @property
    def is_signed_in(self) -> bool:
        """Whether the console is on the screen stack, covered or not."""
        raise NotImplementedError

    @property
    def lock_screen(self) -> Screen[bool] | None:
        """The lock that covers the console, if there is one."""
        raise NotImplementedError

    async def confirm_identity(self, reason: str) -> bool:
        """Ask for a fresh proof; returns whether one was given. Call it in a worker."""
        raise NotImplementedError

    async def unlock(self) -> None:
        """Cover the console with the lock, and wait until it has gone. Call it in a worker."""
        raise NotImplementedError

    async def wait_for_unlock(self) -> bool:
        """Wait while a lock covers the console; returns whether there still is a session."""
        raise NotImplementedError

    def push_lock(self) -> None:
        """Cover the console with the lock, and return at once."""
        raise NotImplementedError

    def action_help(self) -> None:
        """Show help for what is focused."""
        raise NotImplementedError

    # -- screens ----------------------------------------------------------------------------------------------

    @property
    def is_locked(self) -> bool:
        return self.lock_screen is not None

    def replace_all(self, screen: Screen[None]) -> None:
        """Make `screen` the only one above the blank screen of Textual."""
        self.forget_question()
        while len(self.screen_stack) > 2:
            self.pop_screen()
        if len(self.screen_stack) == 2:
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    # -- locking ---------------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.MouseDown | events.Paste):
            self._last_input = time.monotonic()
        if self._input.is_input(event):
            self._input.add(event)
            await self._take_keys()
        else:
            await super().on_event(event)

    async def _take_keys(self) -> None:
        while (event := self._input.next()) is not None:
            target, moves_focus = self.focused or self.screen, self._input.may_move_focus(event)
            await super().on_event(event)
            if moves_focus:
                self._input.follow(target)

    def screen_left(self, screen: Screen[Any]) -> None:
        super().screen_left(screen)
        self._input.screen_left()

    async def on_input_passed(self, message: InputPassed) -> None:
        self._input.has_passed(message)
        await self._take_keys()

    def hold_input(self, *, keeps: bool = False) -> AbstractContextManager[None]:
        """What is typed within waits for what comes of it, such as a dialog or a filled form; at most for a second.

        After that it is forgotten, or with `keeps` goes on.
        """
        return self._input.hold(keeps=keeps)

    def action_command_palette(self) -> None:
        from textual.command import CommandPalette

        from tui.widgets.palette import Palette

        if not CommandPalette.is_open(self):
            self.push_screen(Palette(self.hold_input, id="--command-palette"))

    def action_lock(self) -> None:
        # ctrl+l is also how one asks any program of a terminal to draw over what another one wrote.
        repaint = getattr(self._driver, "repaint", None)
        if repaint is not None:
            repaint()
        if self.is_signed_in and self.account.is_open and not self.is_locked:
            # The password of the lock waits for nothing that is on its way behind it.
            self._input.release()
            self.push_lock()

    def _lock_if_idle(self) -> None:
        if time.monotonic() - self._last_input >= self.config.idle_lock_minutes * 60:
            self.action_lock()

    def action_screenshot(self, filename: str | None = None, path: str | None = None) -> None:
        """Nothing: Textual would write what the screen shows, secrets included, into a file."""

    def action_choose_theme(self, name: str) -> None:
        if name in THEME_NAMES:
            self.theme = name
