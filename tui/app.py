"""The application: which screens there are, how it starts, locks and ends. What screens do is theirs."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType

from tui.crash import CalmExit
from tui.driver import console_driver
from tui.key_order import KeyOrder, KeyPassed
from tui.leaving import Leaving
from tui.leaving_screens import EndsWorkOfScreens
from tui.themes import THEME_NAMES, gatekey_themes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from textual.app import SystemCommand
    from textual.screen import Screen

    from tui.account import AccountService
    from tui.keymap import ConsoleConfig

STYLES: Final = Path(__file__).parents[1] / "styles"
HELP_IN_DIALOGS: Final = ("modal.help", "confirm.help", "choice.help", "palette.help")
"""Bindings that do what `app.help` does."""
FAULTS_SHOWN_FOR: Final = 8.0
"""Seconds. The sentence lies over what is done meanwhile, and doctor keeps it."""
LOCK_CHECKED_EVERY: Final = 5.0
"""Seconds between two looks at the clock for the idle lock."""


class GatekeyApp(Leaving, EndsWorkOfScreens, CalmExit, App[None]):
    """The console of one account."""

    TITLE = "Gatekey"
    CSS_PATH = [STYLES / "base.tcss", STYLES / "console.tcss"]  # noqa: RUF012 - read once by Textual
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
        self._keys = KeyOrder(self)
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

    # -- where one is ----------------------------------------------------------------------------------------

    def show_sign_in(self, sentence: str = "") -> None:
        """Put the sign-in screen in the place of everything, with a sentence on why."""
        from screens.sign_in import SignIn

        self._replace_all(SignIn(sentence))

    def show_console(self) -> None:
        """Put the console in the place of everything."""
        from screens.console import Console

        self._replace_all(Console())

    def show_first_run(self, sentence: str = "") -> None:
        """Put the making of the first account in the place of everything, with a sentence on why."""
        from screens.create_account import CreateAccount

        self._replace_all(CreateAccount(sentence))

    @property
    def is_signed_in(self) -> bool:
        from screens.console import Console

        return any(isinstance(screen, Console) for screen in self.screen_stack)

    @property
    def is_locked(self) -> bool:
        from screens.lock import LockScreen

        return any(isinstance(screen, LockScreen) for screen in self.screen_stack)

    def _replace_all(self, screen: Screen[None]) -> None:
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
        if self._keys.is_input(event):
            self._keys.add(event)
            await self._take_keys()
        else:
            await super().on_event(event)

    async def _take_keys(self) -> None:
        while (event := self._keys.next()) is not None:
            target, moves_focus = self.focused or self.screen, self._keys.may_move_focus(event)
            await super().on_event(event)
            if moves_focus:
                self._keys.follow(target)

    async def on_key_passed(self, message: KeyPassed) -> None:
        self._keys.has_passed(message)
        await self._take_keys()

    def keys_held(self, *, keeps: bool = False) -> AbstractContextManager[None]:
        """What is typed within waits for what comes of it, such as a dialog or a filled form; at most for a second.

        After that it is forgotten, or with `keeps` goes on.
        """
        return self._keys.hold(keeps=keeps)

    def action_command_palette(self) -> None:
        from textual.command import CommandPalette

        from tui.widgets.palette import Palette

        if not CommandPalette.is_open(self):
            self.push_screen(Palette(self.keys_held, id="--command-palette"))

    def action_lock(self) -> None:
        # ctrl+l is also how one asks any program of a terminal to draw over what another one wrote.
        repaint = getattr(self._driver, "repaint", None)
        if repaint is not None:
            repaint()
        if self.is_signed_in and self.account.is_open and not self.is_locked:
            from screens.lock import LockScreen

            # The password of the lock waits for nothing that is on its way behind it.
            self._keys.let_go()
            self.push_screen(LockScreen())

    async def until_unlocked(self) -> bool:
        """Wait while a lock covers the console; returns whether there still is a session to go on with."""
        from screens.lock import LockScreen

        locks = [screen for screen in self.screen_stack if isinstance(screen, LockScreen)]
        for lock in locks:
            await lock.gone.wait()
        return not locks or self.is_signed_in

    def _lock_if_idle(self) -> None:
        if time.monotonic() - self._last_input >= self.config.idle_lock_minutes * 60:
            self.action_lock()

    # -- commands and help -----------------------------------------------------------------------------------

    def action_help(self) -> None:
        from screens.help import Help

        if not isinstance(self.screen, Help):
            self.push_screen(Help.about(self.screen))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        from screens.commands import commands

        return commands(self, screen)

    def action_screenshot(self, filename: str | None = None, path: str | None = None) -> None:
        """Nothing: Textual would write what the screen shows, secrets included, into a file."""

    def action_choose_theme(self, name: str) -> None:
        if name in THEME_NAMES:
            self.theme = name
