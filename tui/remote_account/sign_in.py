"""Sign-in with a password and a code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from store.errors import NotOnThisServer
from tui.remote_account.topic import RemoteTopic

if TYPE_CHECKING:
    from store.values.sign_in import SecondFactorNeeded, SignInNews
    from tui.account import SignInOptions

_CAPTCHA: Final = "This server shows a captcha before it creates an account. Its own page does: {url}"


class RemoteSignIn(RemoteTopic):
    """`SignInService` on a server. A System Access Token is given to `gatekey server add`."""

    @property
    def sign_in_notice(self) -> str:
        return ""

    @property
    def sign_in_news(self) -> SignInNews | None:
        """The server does not tell of the sign-in before."""
        return None

    async def sign_in_options(self) -> SignInOptions:
        """A passkey and another provider answer the server's own page, not a console."""
        from tui.account import SignInOptions, SignUp

        facts, sign_up = self._known, None
        if facts.registers:
            limit = _CAPTCHA.format(url=self._address.url) if facts.asks_for_captcha else ""
            sign_up = SignUp(limit, facts.asks_for_email_code)
        return SignInOptions(passkeys=False, providers=(), sign_up=sign_up)

    async def send_sign_up_code(self, email: str) -> None:
        await self._client.send_sign_up_code(email)

    async def sign_up(self, name: str, password: str, email: str = "", code: str = "") -> None:
        await self._client.register(name, password, email, code)

    async def create_account(self, name: str, email: str, password: str) -> None:  # noqa: ARG002 (the protocol's)
        raise NotOnThisServer("Accounts of this server are created on its own page.")

    async def sign_in(self, name: str, password: str) -> SecondFactorNeeded | None:
        self._is_locked, self._code = False, ""
        return await self._client.sign_in(name, password)

    async def enter_code(self, step: SecondFactorNeeded, code: str) -> None:
        await self._client.enter_code(step, code)
