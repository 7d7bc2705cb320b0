"""The passkey step in the browser."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import urlsplit

from textual import work

from screens.browser_step import BrowserStep
from store.errors import GatekeyError, StoreUnavailable
from store.values.passkeys import CeremonyState

if TYPE_CHECKING:
    from tui.account import PasskeyPage

POLL_INTERVAL_S: Final = 0.5


def _hint(url: str) -> str:
    """The command for a person on another machine, if the page is on this machine's localhost."""
    address = urlsplit(url)
    host = address.hostname or ""
    if host != "localhost" and not host.endswith(".localhost"):
        return ""
    port = address.port or 80
    return f"Over SSH, forward the port first: ssh -L {port}:localhost:{port}"


class PasskeyCeremony(BrowserStep[bool]):
    """Result: True once the browser's answer was accepted."""

    HELP_TEXT: ClassVar[str] = (
        "Your browser does the rest: open the address there and enter the code, or scan the code with a "
        "phone. The console goes on by itself once the browser is done; after two minutes the code is no "
        "longer good."
    )

    def __init__(self, title: str, page: PasskeyPage) -> None:
        super().__init__(
            title,
            "Open this address in your browser:",
            page.url,
            page.started.code,
            scan_url=page.complete_url,
            hint=_hint(page.url),
        )
        self._page = page

    def on_mount(self) -> None:
        self.wait_for_browser()

    @work(exclusive=True, group="wait")
    async def wait_for_browser(self) -> None:
        while True:
            seconds = int((self._page.started.expires_at - self.account.now()).total_seconds())
            self.show_left(f"Waiting for your browser: {max(0, seconds) // 60}:{max(0, seconds) % 60:02d} left")
            try:
                state = await self.account.passkey_outcome(self._page)
            except StoreUnavailable as error:
                # The browser may continue meanwhile: ask again.
                self.say(f"{error.title}. {error}", "warning")
                await asyncio.sleep(POLL_INTERVAL_S)
                continue
            except GatekeyError as error:
                self.stop_waiting(f"{error.title}. {error}")
                return
            self.say("")
            if state is CeremonyState.DONE:
                self.dismiss(True)
                return
            if state is CeremonyState.EXPIRED:
                self.stop_waiting("The time is up. Close this and start again.", "warning")
                return
            await asyncio.sleep(POLL_INTERVAL_S)

    def action_cancel(self) -> None:
        self.give_up()

    @work(exclusive=True)
    async def give_up(self) -> None:
        self.workers.cancel_group(self, "wait")
        await self.run_with_reauth(lambda: self.account.cancel_passkey(self._page))
        self.dismiss(False)
