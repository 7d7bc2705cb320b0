"""Host: the application without its screens. Input queue, themes, idle lock, crash safety, signals.

Screens call a `Host` for everything that only the application can do. `screens.app.GatekeyApp` implements it.
"""

from __future__ import annotations

import asyncio
import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType

from tui import start_without_gc
from tui.crash import SafeCrashMixin
from tui.driver import console_driver
from tui.glyphs import PlainGlyphs
from tui.input_queue import InputPassed, InputQueue
from tui.leave import LeaveMixin
from tui.screen_workers import CancelScreenWorkers
from tui.style_sheets import LaterStyleSheets
from tui.terminal import UTF_8, has_job_control
from tui.themes import THEME_LABELS, THEME_NAMES, gatekey_themes
from tui.widgets.whole_frames import WholeFrames

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from textual.dom import DOMNode
    from textual.filter import LineFilter
    from textual.screen import Screen

    from tui.account import AccountService
    from tui.keymap import ConsoleConfig
    from tui.widgets.palette_command import PaletteCommand

_KEY_WORDS: Final = {
    "enter": ("enter", True),
    "up": ("up", False),
    "down": ("down", False),
    "left": ("left", False),
    "right": ("right", False),
}
"""Words for keys that Textual shows as signs, and whether the word is always better."""
HELP_IN_DIALOGS: Final = ("modal.help", "confirm.help", "choice.help", "palette.help")
"""Ids of the bindings that do the same as `app.help`."""
CONFIG_WARNING_S: Final = 8.0
"""Seconds that the warning about keys.toml is shown. It covers a part of the screen, and doctor repeats it."""
WAITS_SAID_APART_S: Final = 1.0
"""Seconds after the sentence of a wait in which another is not said."""
IDLE_CHECK_INTERVAL_S: Final = 5.0
"""Seconds between two checks for the idle lock."""


class Host(LeaveMixin, CancelScreenWorkers, LaterStyleSheets, SafeCrashMixin, App[None]):
    """The application as screens see it. Abstract: a subclass knows the screens."""

    TITLE = "Gatekey"
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (70, "-narrow"), (100, "-wide"), (140, "-panorama")]  # noqa: RUF012 - read once by Textual
    VERTICAL_BREAKPOINTS = [(0, "-short"), (34, "-tall")]  # noqa: RUF012 - as above
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+p",
            "command_palette",
            "Commands",
            id="app.palette",
            tooltip="Find a command by its name",
            priority=True,
        ),
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
        Binding(
            "ctrl+z",
            "suspend_process",
            "Suspend",
            id="app.suspend",
            show=False,
            tooltip="Go back to the shell; fg continues",
            priority=True,
        ),
    ]

    def __init__(
        self,
        account: AccountService,
        config: ConsoleConfig | None = None,
        *,
        banner: str | None = None,
        character_set: str = UTF_8,
        theme_file: Path | None = None,
    ) -> None:
        """`character_set` is that of the terminal; `theme_file` is where a chosen theme is remembered, if it is."""
        from tui.keymap import ConsoleConfig
        from tui.remembered_theme import remembered_theme
        from tui.terminal import native_colours, starting_theme
        from tui.zones import local_zone

        super().__init__(driver_class=console_driver(), ansi_color=native_colours(os.environ))
        self.account = account
        self.config = config or ConsoleConfig()
        self.banner = banner
        """A warning at the top of the console, such as that the tmux session is shared."""
        self.character_set = character_set
        self.theme_file = theme_file
        self.zone = local_zone(os.environ, self.config.timezone)
        """The time zone in which times are shown."""
        self._plain_glyphs = None if character_set == UTF_8 else PlainGlyphs(character_set)
        self._last_input = time.monotonic()
        self._next_wait_said_at = 0.0
        self._input = InputQueue(self)
        for theme in gatekey_themes():
            self.register_theme(theme)
        chosen = self.config.theme if theme_file is None else remembered_theme(theme_file, self.config.theme)
        self.theme = starting_theme(os.environ, chosen)
        self._css_variables = self.get_css_variables()
        self.stylesheet.set_variables(self._css_variables)

    def on_mount(self) -> None:
        self.animation_level = self.config.animations
        keys = dict(self.config.keys)
        if "app.help" in keys:
            # A dialog hides the bindings of the application, so it has its own binding for help.
            keys = dict.fromkeys(HELP_IN_DIALOGS, keys["app.help"]) | keys
        self.set_keymap(keys)
        self.show_first_screen()
        self.begin()

    def show_first_screen(self) -> None:
        """Show the screen that the person begins with."""
        if self.account.starts_signed_in:
            self.show_console()
        elif self.account.starts_empty:
            self.show_first_run()
        else:
            self.show_sign_in()

    def begin(self) -> None:
        """Listen to signals and the clock. The person and the terminal are there."""
        self._last_input = time.monotonic()
        if start_without_gc.is_resting():
            self.run_worker(start_without_gc.resume_once_open(self.account), group="start")
        self.leave_on_signals()
        self._warn_of_config()
        self.account.tell_waits(self.say_wait)
        self.set_interval(IDLE_CHECK_INTERVAL_S, self._lock_if_idle)
        self.app_resume_signal.subscribe(self, lambda _app: self._lock_if_idle(), immediate=True)

    def say_wait(self, sentence: str) -> None:
        """Say that a request waits, and for what. Leaving the page, or Gatekey, ends the wait."""
        now = time.monotonic()
        if now >= self._next_wait_said_at:  # the requests of one page wait together
            self._next_wait_said_at = now + WAITS_SAID_APART_S
            self.notify(sentence, title="Waiting", markup=False)

    def _warn_of_config(self) -> None:
        """Tell which entries of keys.toml have no effect."""
        from tui.keymap import CONFIG_NAME

        match self.config.faults:
            case ():
                return
            case (only,):
                sentence = only
            case faults:
                sentence = f"{len(faults)} entries of {CONFIG_NAME} have no effect; gatekey doctor names each."
        self.notify(sentence, title=CONFIG_NAME, severity="warning", markup=False, timeout=CONFIG_WARNING_S)

    def refresh_css(self, animate: bool = True) -> None:
        """Apply the styles again, and parse them again only if a colour changed. Textual always parses them (8.2.8)."""
        variables = self.get_css_variables()
        if variables != self._css_variables:
            self._css_variables = variables
            super().refresh_css(animate=animate)
            # Textual leaves out the palette, and does not repaint what a dialog shows of the screen below (8.2.8).
            for screen in self.screen_stack[-1:]:
                self.stylesheet.update(screen, animate=animate)
                screen.refresh(layout=True)
            return
        self.stylesheet.update(self, animate=animate)
        for screen in self.screen_stack:
            self.stylesheet.update(screen, animate=animate)
            screen.refresh(layout=True)

    def update_styles(self, node: DOMNode, animate: bool = True) -> None:
        """Apply the styles to a widget that has its place. Any other is styled when it is mounted.

        Textual also styles a widget whose classes change before that (8.2.8): five times for each button of a page.
        """
        if node is self or node.parent is not None:
            super().update_styles(node, animate=animate)

    # -- implemented by the application that knows the screens -------------------------------------------------

    def show_sign_in(self, sentence: str = "") -> None:
        """Replace every screen by the sign-in screen. `sentence` says why."""
        raise NotImplementedError

    def show_console(self) -> None:
        """Replace every screen by the console."""
        raise NotImplementedError

    def show_first_run(self, sentence: str = "", typed: Mapping[str, str] | None = None) -> None:
        """Replace every screen by the creation of the first account. `sentence` says why.

        `typed` is what was typed for it already, by the id of the field.
        """
        raise NotImplementedError

    @property
    def is_signed_in(self) -> bool:
        """True if the console is on the screen stack, even if it is covered."""
        raise NotImplementedError

    @property
    def lock_screen(self) -> Screen[bool] | None:
        """The lock screen that covers the console, or None."""
        raise NotImplementedError

    async def confirm_identity(self, reason: str) -> bool:
        """Ask for a fresh proof of identity; returns whether it was given. Call it in a worker."""
        raise NotImplementedError

    async def unlock(self) -> None:
        """Show the lock screen, and wait until it has closed. Call it in a worker."""
        raise NotImplementedError

    async def wait_for_unlock(self) -> bool:
        """Wait while the lock screen is shown; returns whether a session is left."""
        raise NotImplementedError

    def push_lock(self) -> None:
        """Show the lock screen, and return at once."""
        raise NotImplementedError

    def palette_commands(self, screen: Screen[Any]) -> Iterable[PaletteCommand]:
        """The commands of the palette over `screen`."""
        raise NotImplementedError

    def action_help(self) -> None:
        """Show the help for the focused widget."""
        raise NotImplementedError

    # -- screens ----------------------------------------------------------------------------------------------

    @property
    def is_locked(self) -> bool:
        return self.lock_screen is not None

    def replace_all(self, screen: Screen[None]) -> None:
        """Replace every screen but the blank default screen of Textual by `screen`."""
        self.cancel_leave()
        start_without_gc.let_go()
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
            await self._deliver_keys()
        else:
            await super().on_event(event)

    async def _deliver_keys(self) -> None:
        while (event := self._input.next()) is not None:
            target, moves_focus = self.focused or self.screen, self._input.may_move_focus(event)
            if moves_focus and isinstance(self.screen, WholeFrames):
                self.screen.arrange_now()
            await super().on_event(event)
            if moves_focus:
                self._input.follow(target)

    def screen_left(self, screen: Screen[Any]) -> None:
        super().screen_left(screen)
        self._input.screen_left()

    async def on_input_passed(self, message: InputPassed) -> None:
        self._input.has_passed(message)
        await self._deliver_keys()

    def hold_input(self, *, keeps: bool = False) -> AbstractContextManager[None]:
        """Keep keys back within the block, and until its result, a dialog or a filled form, is shown.

        See `InputQueue.hold` for the timeout and `keeps`.
        """
        return self._input.hold(keeps=keeps)

    def action_command_palette(self) -> None:
        from textual.command import CommandPalette

        from tui.widgets.palette import Palette

        if not CommandPalette.is_open(self):
            screen, theme = self.screen, self.theme
            palette = Palette(
                screen,
                list(self.palette_commands(screen)),
                self.hold_input,
                end_preview=partial(self.show_theme, theme),
                id="--command-palette",
            )
            self.push_screen(palette)

    def action_lock(self) -> None:
        # By convention ctrl+l also makes a terminal program repaint the screen.
        repaint = getattr(self._driver, "repaint", None)
        if repaint is not None:
            repaint()
        if sentence := self.account.capabilities.no_lock:
            self.notify(sentence, markup=False)
            return
        if self.is_signed_in and self.account.is_open and not self.is_locked:
            # The password for the lock must not wait for a dialog that is opening behind it.
            self._input.release()
            self.push_lock()

    def _lock_if_idle(self) -> None:
        is_idle = time.monotonic() - self._last_input >= self.config.idle_lock_minutes * 60
        if is_idle and not self.account.capabilities.no_lock:
            self.action_lock()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "suspend_process":
            return has_job_control()
        if action == "command_palette":
            from textual.command import CommandPalette

            return not CommandPalette.is_open(self)
        return super().check_action(action, parameters)

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = super().get_line_filters()
        return filters if self._plain_glyphs is None else [*filters, self._plain_glyphs]

    def key_of(self, name: str) -> str:
        """The key of the action with this id, as it is shown, also if the person chose it; empty if it has none."""
        from tui.key_ids import ACTIONS
        from tui.keymap import UNBOUND

        action = ACTIONS.get(name)
        keys = self.config.keys.get(name, action.first_key if action is not None else UNBOUND)
        key = keys.partition(",")[0]
        return "" if key == UNBOUND else self.get_key_display(Binding(key, "", ""))

    def get_key_display(self, binding: Binding) -> str:
        """The key as a person reads it: `enter` as on the buttons, and arrows as words without box characters."""
        if not binding.key_display and binding.key in _KEY_WORDS:
            word, is_needed = _KEY_WORDS[binding.key]
            if is_needed or self._plain_glyphs is not None:
                return word
        return super().get_key_display(binding)

    def action_screenshot(self, filename: str | None = None, path: str | None = None) -> None:
        """Do nothing: a screenshot would write the secrets on the screen into a file."""

    def show_theme(self, name: str) -> None:
        """Use a theme, and remember nothing. An unknown name does nothing."""
        if name in THEME_NAMES:
            self.theme = name

    def choose_theme(self, name: str) -> None:
        """Use a theme, and remember it for the next start if files may be written."""
        self.show_theme(name)
        words = THEME_LABELS[self.theme]
        if self.theme_file is None:
            self.notify(f"{words}, for this session.", markup=False)
        else:
            self.run_worker(self._remember(self.theme_file, name), group="theme", exclusive=True)

    async def _remember(self, path: Path, name: str) -> None:
        from tui.remembered_theme import remember_theme

        try:
            await asyncio.to_thread(remember_theme, path, name, self.config.theme)
        except OSError:
            self.notify(
                f"{THEME_LABELS[name]}. It could not be remembered: {path.parent} cannot be written.",
                severity="warning",
                markup=False,
            )
        else:
            self.notify(f"{THEME_LABELS[name]}, also from the next start on.", markup=False)
