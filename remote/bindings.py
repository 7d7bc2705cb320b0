"""Identities at other providers, and the e-mail address, bound to an account.

A binding begins with an address that the person opens in a browser. The provider sends the browser on to the server's
page, which cannot complete it, because the browser has no session; the address it landed at completes it here.
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

from remote.calls import NEEDS_SIGN_IN, Calls
from remote.fields import fields_of, objects_of
from remote.generations import KnownServer, OAuthProvider
from remote.own_account import OwnAccount
from remote.sessions import TokenSession
from store import inputs
from store.errors import (
    AnswerUnreadable,
    BrowserNeeded,
    IdentityRefused,
    InvalidUrl,
    NoSuchItem,
    NotOnThisServer,
    ServerRefused,
    WrongCode,
)

_BINDINGS_PATH: Final = "/api/user/oauth/bindings"
_MAIL_NOT_SENT: Final = (
    "The server did not send a code: the address may belong to another account, or it has no mail server."
)
_CODE_REFUSED: Final = "The code is wrong, or older than ten minutes. Enter the one in the newest e-mail."
_LANDING: Final = "Paste the whole address that the browser shows at the end, with code and state in it."
_NAMES: Final = {"wechat": "WeChat", "telegram": "Telegram", "linux_do": "linuxdo"}


@dataclass(frozen=True, slots=True)
class RemoteBinding:
    """One provider, and the account's identity there, if any."""

    slug: str
    name: str
    is_enabled: bool
    """False if the administrator switched it off; an identity may be bound all the same."""
    identity: str
    """Empty if none is bound."""
    unbind_id: int | None = None
    """For `unbind`; None where the server has no way to unbind."""

    @property
    def is_bound(self) -> bool:
        return bool(self.identity)


@dataclass(frozen=True, slots=True)
class BindingStarted:
    """A binding that waits for the person. `url` is to be opened in a browser."""

    provider: OAuthProvider
    url: str = field(repr=False)
    state: str = field(repr=False)


class Bindings:
    """Reads, makes and removes bindings."""

    def __init__(self, calls: Calls, server: KnownServer) -> None:
        self._calls = calls
        self._server = server

    async def all(self, account: OwnAccount) -> tuple[RemoteBinding, ...]:
        """Every provider that is switched on or bound. Raises the session errors."""
        facts = await self._server.facts()
        bound = {"linuxdo" if name == "linux_do" else name: identity for name, identity in account.bound}
        own = {one.text("provider_slug", 80): one for one in objects_of(await self._calls.read(_BINDINGS_PATH))}
        found = [
            RemoteBinding(
                one.slug,
                one.name,
                is_enabled=True,
                identity=own[one.slug].text("provider_user_id", 200) if one.slug in own else bound.get(one.slug, ""),
                unbind_id=own[one.slug].whole("provider_id") if one.slug in own else None,
            )
            for one in facts.providers
        ]
        known = {one.slug for one in found}
        others = {"telegram": bool(facts.telegram_bot), "wechat": facts.has_wechat}
        found += [
            RemoteBinding(slug, _NAMES.get(slug, slug), others.get(slug, False), bound.get(slug, ""))
            for slug in dict.fromkeys((*bound, *others))
            if slug not in known and (slug in bound or others.get(slug))
        ]
        found += [
            RemoteBinding(slug, one.text("provider_name", 80), False, one.text("provider_user_id", 200),
                          one.whole("provider_id"))
            for slug, one in own.items()
            if slug not in known
        ]  # fmt: skip
        return tuple(found)

    async def begin(self, slug: str) -> BindingStarted:
        """Begin to bind an identity. Raises `NoSuchItem`, `NotOnThisServer` and the session errors."""
        facts = await self._server.facts()
        provider = next((one for one in facts.providers if one.slug == slug), None)
        if provider is None:
            raise NoSuchItem("The administrator has switched this provider off.")
        if isinstance(self._calls.keeper.credential, TokenSession):
            raise NotOnThisServer(NEEDS_SIGN_IN)
        if facts.is_feb:
            reply = await self._calls.change("GET", "/api/oauth/state", signs_in=True)
            state = reply.data
        else:
            body = {"provider": slug, "intent": "bind"}
            reply = await self._calls.change("POST", "/api/oauth/state", body, signs_in=True)
            state = fields_of(reply.data).raw_text("flow_token")
        if not isinstance(state, str) or not state:
            raise AnswerUnreadable
        return BindingStarted(provider, _authorization_url(provider, state, self._calls.server_url), state)

    async def finish(self, started: BindingStarted, landed_at: str) -> None:
        """Complete a binding with the address that the browser landed at.

        Raises `InvalidUrl` with field `address`, `IdentityRefused`, and the session errors.
        """
        query = parse_qs(urlsplit(landed_at.strip()).query)
        code = next(iter(query.get("code", [])), "")
        if not code:
            raise InvalidUrl(_LANDING, field="address")
        if query.get("state") != [started.state]:
            raise IdentityRefused("This address belongs to another try. Begin again.")
        params = {"code": code, "state": started.state}
        try:
            await self._calls.change("GET", f"/api/oauth/{started.provider.slug}", params=params, signs_in=True)
        except ServerRefused as error:
            raise IdentityRefused(
                "The server did not bind this identity: it may be bound to another account, or the code is too old."
            ) from error

    async def unbind(self, unbind_id: int) -> None:
        """Remove a binding. Raises `ServerRefused` and the session errors."""
        await self._calls.change("DELETE", f"{_BINDINGS_PATH}/{unbind_id:d}", is_repeatable=True)

    async def send_email_code(self, email: str) -> None:
        """Have a code sent to an address. Raises `InvalidEmail`, `BrowserNeeded`, `ServerRefused`, session errors."""
        facts = await self._server.facts()
        address = inputs.check_email(email, field="email")
        if facts.asks_for_captcha:
            raise BrowserNeeded("The server wants a captcha for this. Bind the address on its web page.")
        try:
            await self._calls.change("GET", "/api/verification", params={"email": address})
        except ServerRefused as error:
            raise ServerRefused(_MAIL_NOT_SENT, code=error.code, field="email") from error

    async def bind_email(self, email: str, code: str) -> None:
        """Bind an address with the code that was sent there. It is a name to sign in with, too.

        Raises `InvalidEmail`, `WrongCode`, `NotOnThisServer` for FEB with a System Access Token, and the session
        errors.
        """
        facts = await self._server.facts()
        body = {"email": inputs.check_email(email, field="email"), "code": code.strip()}
        if facts.is_feb and isinstance(self._calls.keeper.credential, TokenSession):
            raise NotOnThisServer(NEEDS_SIGN_IN)  # a right code would make the server fail
        try:
            if facts.is_feb:
                await self._calls.change("GET", "/api/oauth/email/bind", params=body, signs_in=True)
            else:
                await self._calls.change("POST", "/api/oauth/email/bind", body, signs_in=True)
        except ServerRefused as error:
            raise WrongCode(_CODE_REFUSED, field="code") from error


def _authorization_url(provider: OAuthProvider, state: str, server_url: str) -> str:
    """The address of the provider's page, as the server's own page makes it."""
    query = {"client_id": provider.client_id, "state": state}
    if provider.scopes:
        query["scope"] = provider.scopes
    if provider.slug != "github":
        query["response_type"] = "code"
    if provider.slug not in ("github", "linuxdo"):
        query["redirect_uri"] = f"{server_url}/oauth/{provider.slug}"
    base = inputs.check_url(provider.authorization_url, field="address")
    return f"{base}{'&' if '?' in base else '?'}{urlencode(query)}"
