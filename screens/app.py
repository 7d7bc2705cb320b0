"""GatekeyApp: the application with its screens, and the start of the console.

Each screen is imported when it is first shown, so the first picture waits for one screen only.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from tui.host import Host

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from textual.screen import Screen

    from screens.lock import LockScreen
    from tui.account import AccountService
    from tui.store_location import Options
    from tui.widgets.palette_command import PaletteCommand


class GatekeyApp(Host):
    """The console of one account."""

    def show_sign_in(self, sentence: str = "") -> None:
        from screens.sign_in import SignIn

        self.replace_all(SignIn(sentence))

    def show_console(self) -> None:
        from screens.console import Console

        self.replace_all(Console())

    def show_first_run(self, sentence: str = "", typed: Mapping[str, str] | None = None) -> None:
        from screens.create_account import CreateAccount

        self.replace_all(CreateAccount(sentence, typed))

    @property
    def is_signed_in(self) -> bool:
        from screens.console import Console

        return any(isinstance(screen, Console) for screen in self.screen_stack)

    @property
    def lock_screen(self) -> LockScreen | None:
        if "screens.lock" not in sys.modules:
            # The console asks at its start, when nothing has locked it yet.
            return None
        from screens.lock import LockScreen

        return next((screen for screen in self.screen_stack if isinstance(screen, LockScreen)), None)

    async def confirm_identity(self, reason: str) -> bool:
        from screens.reauthenticate import Reauthenticate

        is_proved: bool = await self.push_screen_wait(Reauthenticate(reason))
        return is_proved

    def push_lock(self) -> None:
        from screens.lock import LockScreen

        self.push_screen(LockScreen())

    async def unlock(self) -> None:
        from screens.lock import LockScreen

        await self.push_screen_wait(LockScreen())

    async def wait_for_unlock(self) -> bool:
        lock = self.lock_screen
        if lock is None:
            return True
        await lock.gone.wait()
        return self.is_signed_in

    def action_help(self) -> None:
        from screens.help import Help

        if not isinstance(self.screen, Help):
            self.push_screen(Help.about(self.screen))

    def palette_commands(self, screen: Screen[Any]) -> Iterable[PaletteCommand]:
        from screens.commands import commands

        return commands(self, screen)


def account_of(options: Options) -> AccountService:
    """The account that the options name. Raises `InvalidUrl`."""
    if options.server is not None:
        from tui.server_account import account_on_server

        return account_on_server(options)
    from tui.local_account import LocalAccount

    return LocalAccount(options)


def banner_of(options: Options) -> str | None:
    """The warning above the pages of an account whose server is reached by plain HTTP."""
    if options.server is None:
        return None
    from tui.server_account import INSECURE, is_insecure

    return INSECURE if is_insecure(options) else None


def run_console(options: Options) -> int:
    """Open the console; returns the exit code of the command."""
    from tui.config_location import config_path, load_config
    from tui.process_memory import share_one_arena
    from tui.remembered_theme import FILE_NAME
    from tui.session_exit import run_to_its_end
    from tui.terminal import (
        character_set,
        forget_stale_size,
        harden_process,
        refusal,
        shared_session_banner,
        write_in,
    )

    sentence = refusal(sys.stdin, sys.stdout, sys.stderr, os.environ)
    if sentence is not None:
        sys.stderr.write(f"gatekey: {sentence}\n")
        return 2
    forget_stale_size(os.environ, sys.stderr.fileno())
    harden_process()
    share_one_arena()
    characters = character_set(os.environ, sys.stderr.encoding)
    write_in(characters, sys.stderr)
    folder = config_path().parent
    app = GatekeyApp(
        account_of(options),
        load_config(config_path()),
        banner=banner_of(options) or shared_session_banner(os.environ),
        character_set=characters,
        theme_file=None if options.no_files else folder / FILE_NAME,
    )
    if not options.no_files:
        app.crash_log = folder / "crash.log"
    return run_to_its_end(app)
