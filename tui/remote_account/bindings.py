"""Identities at other providers, which are bound by the address that a browser ends at, and the e-mail address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from store.errors import NotOnThisServer, SignInExpired
from tui.remote_account.topic import RemoteTopic

if TYPE_CHECKING:
    from remote.bindings import BindingStarted, RemoteBinding
    from store.values.bindings import BindingInfo, ProviderInfo
    from tui.account import BindingOverview, BrowserLogin

_NO_UNBINDING: Final = 0
"""The number of a binding that the server never removes."""
_STAYS: Final = "This server unbinds no identity of this provider."
_CAPTCHA: Final = "This server shows a captcha before it sends a code: bind the address on its own page, {url}"
_ELSEWHERE: Final = "It is bound on the server's own page: {url}"
_NEEDS_SIGN_IN: Final = "A System Access Token may not do this: sign in with your password."


class RemoteBindings(RemoteTopic):
    """`BindingService` on a server."""

    _begun: BindingStarted | None = None
    """The binding that waits for its address."""

    async def bindings(self) -> BindingOverview:
        """Every provider that is switched on or bound."""
        from tui.account import BindingOverview, BoundEmail

        account = await self._account()
        found = await self._client.bindings.all(account)
        shown = sorted((one for one in found if one.is_enabled or one.is_bound), key=lambda one: one.name.casefold())
        email = BoundEmail(account.email, self._email_limit())
        return BindingOverview(bool(shown), tuple(self._binding(one) for one in shown), email)

    async def begin_browser_login(self, slug: str) -> BrowserLogin:
        from tui.account import BrowserLogin

        self._check_open()
        self._begun = begun = await self._client.bindings.begin(slug)
        return BrowserLogin(_provider(slug, begun.provider.name), begun.url)

    async def bind_by_address(self, login: BrowserLogin, landed_at: str) -> None:
        self._check_open()
        if self._begun is None or self._begun.url != login.url:
            raise SignInExpired
        await self._client.bindings.finish(self._begun, landed_at)
        self._begun = None

    async def unbind(self, binding_id: int) -> None:
        self._check_open()
        if binding_id == _NO_UNBINDING:
            raise NotOnThisServer(_STAYS)
        await self._client.bindings.unbind(binding_id)

    async def send_email_code(self, address: str) -> None:
        self._check_open()
        await self._client.bindings.send_email_code(address)

    async def bind_email(self, address: str, code: str) -> None:
        self._check_open()
        await self._client.bindings.bind_email(address, code)

    # -- what a server has not

    async def begin_device_login(self, *_: Any) -> Any:
        raise NotOnThisServer

    async def wait_for_identity(self, *_: Any, **__: Any) -> Any:
        raise NotOnThisServer

    async def bind(self, *_: Any) -> None:
        raise NotOnThisServer

    async def sign_in_with_identity(self, *_: Any) -> Any:
        raise NotOnThisServer

    # -- how

    def _email_limit(self) -> str:
        if self._known.asks_for_captcha:
            return _CAPTCHA.format(url=self._address.url)
        return _NEEDS_SIGN_IN if self._known.is_feb and self._client.signed_in_with_token else ""

    def _binding(self, one: RemoteBinding) -> BindingInfo:
        from store.values.bindings import BindingInfo

        limit, number = "", None
        if one.is_bound:
            number = _NO_UNBINDING if one.unbind_id is None else one.unbind_id
            limit = _STAYS if one.unbind_id is None else ""
        elif all(one.slug != provider.slug for provider in self._known.providers):
            limit = _ELSEWHERE.format(url=self._address.url)
        return BindingInfo(_provider(one.slug, one.name), number, one.identity, None, None, limit)


def _provider(slug: str, name: str) -> ProviderInfo:
    from store.values.bindings import ProviderInfo, ProviderKind

    return ProviderInfo(0, slug, name, ProviderKind.OIDC, "", "")
