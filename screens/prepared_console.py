"""The console that the zygote prepares: composed, styled and arranged, with no account and no terminal.

Each child goes on with it: it draws it on the terminal of its person, opens the account, or shows the sign-in screen in
its place. Where the terminal has another character set, or keys.toml has changed since, a child makes a console of its
own (`screens.ssh_console.run_console`).
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import sys
from typing import TYPE_CHECKING, Any, Final, cast

from textual.events import Resize
from textual.geometry import Size

from screens.ssh_console import SshConsole, account_of, nobodys_account, preload
from ssh.fork_request import ConsoleRequest
from store.values.sign_in import SignedIn
from tui.idle_loop import until_idle

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType
    from textual.screen import Screen
    from textual.worker import WorkType

    from screens.console import Console
    from ssh.fork_request import Arrival, WaitForArrival
    from ssh.forkable_loop import ForkableLoop
    from tui.keymap import ConsoleConfig
    from tui.store_location import Options
    from tui.waiting_driver import WaitingDriver

SIZE: Final = (80, 24)
"""The size for which the console is arranged. Any other costs one more arrangement."""
_IDLE_FOR_S: Final = 0.05
_IDLE_TIMEOUT_S: Final = 10.0
"""Seconds. A console that is forked before it is arranged goes on with that in each child."""

_NOBODY: Final = ConsoleRequest("", "", "", "", "", "", None, offers_sign_in=False)


class PreparedConsole(SshConsole):
    """Shows the console to nobody until somebody has arrived."""

    def __init__(
        self, options: Options, config: ConsoleConfig, wait: WaitForArrival, run_alone: Callable[[Arrival], int]
    ) -> None:
        from tui.terminal import UTF_8
        from tui.waiting_driver import WaitingDriver

        super().__init__(nobodys_account(options), config, _NOBODY, character_set=UTF_8)
        self.driver_class = WaitingDriver
        self._options = options
        self._wait = wait
        self._run_alone = run_alone
        self._is_waiting = True

    def show_first_screen(self) -> None:
        self.show_console()

    def begin(self) -> None:
        """Wait for a person. What a console begins with is begun in the child."""
        steps: WorkType[None] = self._wait_when_idle
        self.run_worker(steps, group="start")

    async def _wait_when_idle(self) -> None:
        await until_idle(_IDLE_FOR_S, _IDLE_TIMEOUT_S)
        if self.return_code:
            return  # it has crashed, and the server is told when this process ends
        # The console has begun to open nobody's account. Each child begins that for its person.
        self.workers.cancel_node(self.screen)
        # A task or a context of the application would be the child's, and a console of its own has others.
        loop = cast("ForkableLoop", asyncio.get_running_loop())
        loop.call_soon(self._fork, loop, context=contextvars.Context())

    def _fork(self, loop: ForkableLoop) -> None:
        """Return in each child alone. The event loop of the zygote waits in here."""
        arrival = self._wait(self._fits, self._run_alone)
        loop.go_on_in_child()
        self.call_later(self._arrive, arrival)

    def _fits(self, request: ConsoleRequest) -> bool:
        from tui.config_location import config_path, load_config
        from tui.terminal import UTF_8, character_set, refusal

        return (
            request.command is None
            and refusal(sys.__stdin__, sys.__stdout__, sys.__stderr__, os.environ) is None
            and character_set(os.environ, UTF_8) == UTF_8
            and load_config(config_path()) == self.config
        )

    def _arrive(self, arrival: Arrival) -> None:
        """Go on with a person, on their terminal. The colours, the time zone and the size are theirs."""
        from rich.console import Console as Palette

        from tui.terminal import harden_process
        from tui.zones import local_zone

        harden_process()
        self._request = arrival.request
        self.account = account_of(self._options, arrival)
        self.zone = local_zone(os.environ, self.config.timezone)
        self.console = Palette(
            color_system="auto",
            file=self.console.file,
            highlight=False,
            emoji=False,
            legacy_windows=False,
            force_terminal=True,
            safe_box=False,
            soft_wrap=False,
        )
        driver = cast("WaitingDriver", self._driver)
        self._size = Size(*os.get_terminal_size(driver.fileno))
        driver.take_terminal()
        super().begin()
        if isinstance(arrival.request.answer, SignedIn):
            if self._size != SIZE:
                cast("Console", self.screen).expect_size(self._size)
                self.screen.post_message(Resize(self._size, self._size))
            self.screen.call_later(self._draw)
        else:
            self._is_waiting, self._is_first = False, True
            self.show_sign_in()

    def _draw(self) -> None:
        """Draw the console, which has the size of the terminal now, and then open the account."""
        self._is_waiting = False
        self.screen.refresh()
        self.call_after_refresh(cast("Console", self.screen).start, is_drawn=True)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        # A style keeps the first colours that it was drawn in, which may be more than a terminal has.
        if not self._is_waiting:
            super()._display(screen, renderable)


def run_prepared(options: Options, wait: WaitForArrival, run_alone: Callable[[Arrival], int]) -> int:
    """Prepare the console, fork, and run it in each child that fits it; `run_alone` runs in all others."""
    from ssh.forkable_loop import ForkableLoop
    from tui import start_without_gc
    from tui.config_location import config_path, load_config
    from tui.session_exit import run_to_its_end

    preload()
    start_without_gc.rest()
    return run_to_its_end(PreparedConsole(options, load_config(config_path()), wait, run_alone), ForkableLoop, SIZE)
