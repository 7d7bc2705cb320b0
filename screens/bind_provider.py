"""Sign-in at an identity provider from a terminal (RFC 8628)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work

from screens.browser_step import BrowserStep
from store.errors import GatekeyError
from tui.account import FoundIdentity

if TYPE_CHECKING:
    from tui.account import DeviceLogin


class ProviderLogin(BrowserStep[FoundIdentity | None]):
    """Result: the identity that the provider confirmed, or None. It is not bound yet."""

    HELP_TEXT: ClassVar[str] = (
        "Open the address in any browser, on this machine or another, and enter the code. The console "
        "asks the provider for news until the code expires. Nothing is bound before you have seen whose "
        "identity it is."
    )

    def __init__(self, login: DeviceLogin) -> None:
        super().__init__(
            f"Sign in at {login.provider.name}",
            "Open this address on any device:",
            login.verification_uri,
            login.user_code,
            scan_url=login.complete_uri or login.verification_uri,
        )
        self._login = login
        self._is_waiting = True

    def on_mount(self) -> None:
        self._count_down()
        self.set_interval(1, self._count_down)
        self.wait_for_provider()

    @work(exclusive=True, group="wait")
    async def wait_for_provider(self) -> None:
        try:
            identity = await self.account.wait_for_identity(self._login, on_poll=self._told)
        except GatekeyError as error:
            self._is_waiting = False
            self.stop_waiting(f"{error.title}. {error}")
        else:
            self.dismiss(identity)

    def _told(self, is_reachable: bool) -> None:
        name = self._login.provider.name
        self.say("" if is_reachable else f"{name} does not answer at the moment. Still trying.", "warning")

    def action_cancel(self) -> None:
        self.workers.cancel_node(self)
        self.dismiss(None)

    def _count_down(self) -> None:
        if not self._is_waiting:
            return
        seconds = max(0, int((self._login.expires_at - self.account.now()).total_seconds()))
        self.show_left(f"Waiting: {seconds // 60}:{seconds % 60:02d} left")
