"""The console over SSH: what the zygote loads before it forks, and what a child runs."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from screens.app import GatekeyApp
from store.values.sign_in import SecondFactorNeeded, SignedIn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ssh.fork_request import Arrival, ConsoleRequest
    from tui.account import AccountService
    from tui.keymap import ConsoleConfig
    from tui.local_account.ssh_account import SshAccount
    from tui.store_location import Options

LOADED: Final = (
    *("screens.sign_in", "screens.console", "screens.settings", "screens.help", "screens.lock", "screens.commands"),
    *("tui.local_account.ssh_account", "tui.posix_driver", "tui.session_exit", "tui.keymap", "tui.terminal"),
    *("tui.remembered_theme", "textual.drivers.headless_driver", "textual.pilot", "textual.scrollbar"),
    *("textual.layouts.factory", "textual.layouts.stream"),
    *("store.store", "store.sqlite_engine", "store.key_file", "sqlalchemy.dialects.sqlite"),
    *("store.sign_in_news", "store.passkeys", "store.ssh_keys", "store.drawer", "store.values.overview"),
    *("argon2", "passlib.context", "passlib.handlers.argon2", "curses", "ssh.priority"),
)
"""Modules that every console needs. A child shares the memory of those that its parent has loaded."""
SIGN_IN_LIMIT_S: Final = 600.0
"""Seconds that a console may be open without anybody signed in: each is a process of the server."""
_CHECK_INTERVAL_S: Final = 15.0
_TOO_LONG: Final = "Nobody signed in for ten minutes, so this console has closed. Connect again."


class SshConsole(GatekeyApp):
    """The console of a person who came over SSH, perhaps with a name and an answer of the sign-in."""

    def __init__(
        self, account: AccountService, config: ConsoleConfig, request: ConsoleRequest, *, character_set: str
    ) -> None:
        super().__init__(account, config, character_set=character_set)
        self._request = request
        self._is_first = True
        self._unattended_s = 0.0

    def begin(self) -> None:
        from ssh.priority import step_back

        super().begin()
        self.set_interval(_CHECK_INTERVAL_S, self._close_unattended)
        self.call_after_refresh(step_back)

    def show_sign_in(self, sentence: str = "") -> None:
        from screens.sign_in import SignIn

        if self._is_first:
            self._is_first = False
            answer = self._request.answer
            step = answer if isinstance(answer, SecondFactorNeeded) else None
            self.replace_all(SignIn(sentence, step=step, name=self._request.name))
        elif self._request.offers_sign_in:
            super().show_sign_in(sentence)
        else:
            # Where the site keeps strangers from the sign-in screen, the session was all there is.
            self._print_at_end(sentence)
            self.exit()

    def show_console(self) -> None:
        self._is_first = False
        super().show_console()

    def show_first_run(self, sentence: str = "", typed: Mapping[str, str] | None = None) -> None:  # noqa: ARG002
        """Nobody creates the first account over the network."""
        self.show_sign_in(sentence)

    def _close_unattended(self) -> None:
        self._unattended_s = 0.0 if self.is_signed_in else self._unattended_s + _CHECK_INTERVAL_S
        if self._unattended_s >= SIGN_IN_LIMIT_S:
            self._print_at_end(_TOO_LONG)
            self.exit()


def preload(names: Iterable[str] = LOADED) -> None:
    """Import what every console needs."""
    from rich.cells import cell_len

    for name in names:
        import_module(name)
    # Rich loads its table of wide characters for the first that is not ASCII.
    cell_len("·")


def account_of(options: Options, arrival: Arrival) -> SshAccount:
    """The account of the person who has come, signed in by the server or not yet."""
    from tui.local_account.ssh_account import SshAccount

    request = arrival.request
    answer = request.answer if isinstance(request.answer, SignedIn) else None
    return SshAccount(options._replace(no_files=True), answer, arrival.announce, fetch_place=request.fetch_place)


def nobodys_account(options: Options) -> SshAccount:
    """The account of a console that waits for its person."""
    from tui.local_account.ssh_account import NobodysAccount

    return NobodysAccount(options._replace(no_files=True))


def run_console(options: Options, arrival: Arrival) -> int:
    """Open the console on the terminal of this process; returns its exit status."""
    from tui import start_without_gc
    from tui.config_location import config_path, load_config
    from tui.session_exit import run_to_its_end
    from tui.terminal import character_set, harden_process, refusal, write_in

    sentence = refusal(sys.stdin, sys.stdout, sys.stderr, os.environ)
    if sentence is not None:
        sys.stderr.write(f"gatekey: {sentence}\n")
        return 2
    start_without_gc.rest()
    harden_process()
    characters = character_set(os.environ, sys.stderr.encoding)
    write_in(characters, sys.stderr)
    console = SshConsole(
        account_of(options, arrival), load_config(config_path()), arrival.request, character_set=characters
    )
    return run_to_its_end(console)
