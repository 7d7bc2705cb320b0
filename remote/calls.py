"""Every request of an account: its credential, its refresh, and when its session is over."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from remote import answers
from remote.answers import Envelope
from remote.exchanges import Exchanges, Reply
from remote.fields import Fields, required
from remote.session_keeper import SessionKeeper
from remote.sessions import (
    REFRESH_COOKIE,
    SESSION_COOKIE,
    BearerSession,
    CookieSession,
    Credential,
    TokenSession,
)
from remote.transport import HttpAnswer, Request
from store.clock import Clock
from store.errors import (
    AccountSuspended,
    AnswerUnreadable,
    InvalidToken,
    NotOnThisServer,
    SessionEnded,
    SessionSuspended,
)

SELF_PATH: Final = "/api/user/self"
REFRESH_PATH: Final = "/api/user/auth/refresh"
NEEDS_SIGN_IN: Final = (
    "This server wants a sign-in with a password for this. The session here is a System Access Token."
)
_SESSION_REQUIRED: Final = "AUTH_SESSION_REQUIRED"
_DISABLED: Final = "AUTH_USER_DISABLED"
_RACE: Final = "AUTH_REFRESH_RACE"
_NO_LONGER_ACCEPTED: Final = (
    "The server no longer accepts this System Access Token: a newer one took its place, or the account was closed."
)
_NOT_KNOWN: Final = "The server does not know this System Access Token, or it belongs to another user id."
_EARLY: Final = timedelta(seconds=30)
"""A token is refreshed this long before it expires, so that a request under way does not meet its end."""
_USUAL_LIFE: Final = timedelta(minutes=15)
_LONGEST_LIFE: Final = timedelta(days=1)
"""The longest time that a token is taken to live. A longer one comes from a wrong clock; a refusal tells its end."""


class Calls:
    """Sends the requests of one account."""

    def __init__(self, exchanges: Exchanges, keeper: SessionKeeper, clock: Clock) -> None:
        self._exchanges = exchanges
        self._keeper = keeper
        self._clock = clock

    @property
    def server_url(self) -> str:
        return self._exchanges.address.url

    @property
    def keeper(self) -> SessionKeeper:
        return self._keeper

    async def read(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """The `data` of a GET that changes nothing. It is repeated while the server restarts.

        Raises the errors of `change` but `AnswerLost`.
        """
        return (await self._send(Request("GET", path, params or {}), is_repeatable=True)).data

    async def read_whole(self, path: str) -> Fields:
        """As `read`, for a route that has more beside `data`: the whole answer."""
        return (await self._send(Request("GET", path), is_repeatable=True)).extra

    async def change(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        is_repeatable: bool = False,
        signs_in: bool = False,
    ) -> Reply:
        """The reply to a request that changes something. Only one that is repeatable is sent again after a lost answer.

        Raises `ServerRefused` for a refusal, `NotOnThisServer`, `SessionEnded`, `SessionSuspended`, and the children of
        `ServerFailed`: `AnswerLost` if it is not known whether it took effect. `signs_in` marks the routes that share
        the tight limit.
        """
        request = Request(method, path, params or {}, body, headers or {}, changes=True)
        return await self._send(request, is_repeatable=is_repeatable, signs_in=signs_in)

    async def open_to_all(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        changes: bool = True,
        signs_in: bool = True,
    ) -> Reply:
        """As `change`, for a route that needs no session: none is sent."""
        request = Request(method, path, params or {}, body, headers or {}, changes=changes)
        answer = await self._exchanges.send(request, is_repeatable=not changes, signs_in=signs_in)
        return self._exchanges.reply(answer, self._exchanges.envelope(answer))

    async def probe(self, path: str) -> tuple[int, str]:
        """The status and the code that a GET without a session is refused with."""
        envelope = self._exchanges.envelope(await self._exchanges.send(Request("GET", path), is_repeatable=True))
        return envelope.status, envelope.code

    async def account_behind(self, credential: Credential) -> Any:
        """The `data` of `GET self` for a credential that no session is open with. Raises `InvalidToken`."""
        request = _signed(Request("GET", SELF_PATH), credential)
        envelope = self._exchanges.envelope(await self._exchanges.send(request, is_repeatable=True))
        if envelope.code == _DISABLED:
            raise AccountSuspended
        if not envelope.is_accepted:
            raise InvalidToken(_NOT_KNOWN)
        return envelope.data

    async def adopt_bundle(self, reply: Reply) -> None:
        """Go on with the session that an answer brings: AUG sends a new one after a change of credentials."""
        session = self._keeper.credential
        if isinstance(session, BearerSession) and isinstance(reply.data, dict) and "access_token" in reply.data:
            await self._keeper.put(self.bearer_of(reply, session))

    def bearer_of(self, reply: Reply, former: BearerSession | None = None) -> BearerSession:
        """The session in an answer. Raises `AnswerUnreadable` if it is not whole."""
        data = required(reply.data)
        token = data.raw_text("access_token")
        cookie = reply.cookies.get(REFRESH_COOKIE) or (former.refresh_cookie if former else "")
        if not token or not cookie or not _fits_a_header(token):
            raise AnswerUnreadable
        user_id = former.user_id if former else data.object("user").whole("id")
        expires_at = data.time("access_expires_at")
        # The two clocks may differ: only how long the token lives is taken from the answer.
        life = expires_at - reply.sent_at if expires_at and reply.sent_at else _USUAL_LIFE
        if not _EARLY < life <= _LONGEST_LIFE:
            life = _USUAL_LIFE
        fresh_until = self._clock.now() + life - _EARLY
        session_id = data.object("session").raw_text("sid") or (former.session_id if former else "")
        return BearerSession(user_id, session_id, token, cookie, fresh_until)

    async def refresh_if_due(self, spare: timedelta) -> None:
        """Refresh the session now if it may expire within `spare`, so that a series of requests is not cut in two."""
        session = self._keeper.credential
        if isinstance(session, BearerSession) and session.fresh_until <= self._clock.now() + spare:
            await self._keeper.refresh(session, self._renew)

    # -- how ----------------------------------------------------------------------------------------------------

    async def _send(self, request: Request, *, is_repeatable: bool, signs_in: bool = False) -> Reply:
        await self.refresh_if_due(timedelta(0))
        session = self._session()
        answer = await self._exchanges.send(_signed(request, session), is_repeatable=is_repeatable, signs_in=signs_in)
        if answer.status == answers.UNAUTHORIZED and isinstance(session, BearerSession):
            await self._refuse_if_suspended(self._exchanges.envelope(answer))
            # Nothing was done, so the same request may go out once more.
            await self._keeper.refresh(session, self._renew)
            answer = await self._exchanges.send(
                _signed(request, self._session()), is_repeatable=is_repeatable, signs_in=signs_in
            )
        await self._keep_cookie(answer)
        envelope = self._exchanges.envelope(answer)
        if envelope.status == answers.UNAUTHORIZED:
            self._exchanges.check_own(envelope)
            await self._refuse_if_suspended(envelope)
            # Some routes refuse a token that is good, as they refuse one that is not.
            if isinstance(self._keeper.credential, TokenSession) and not await self._is_dead(request):
                raise NotOnThisServer(NEEDS_SIGN_IN)
            raise await self._ended(self._session())
        if envelope.code == _SESSION_REQUIRED:
            raise NotOnThisServer(NEEDS_SIGN_IN)
        if not envelope.is_accepted and envelope.status == 200 and await self._is_dead(request):
            raise await self._ended(self._session())
        return self._exchanges.reply(answer, envelope)

    async def _renew(self, stale: BearerSession) -> BearerSession:
        """A fresh session for a stale one. The server gives the same answer again if the first one was lost."""
        headers = {
            "Cookie": f"{REFRESH_COOKIE}={stale.refresh_cookie}",
            "Origin": self._exchanges.address.origin,
            **({"X-Auth-Session": stale.session_id} if stale.session_id else {}),
        }
        attempt = 0
        while True:
            answer = await self._exchanges.send(
                Request("POST", REFRESH_PATH, headers=headers, changes=True), is_repeatable=True, signs_in=True
            )
            envelope = self._exchanges.envelope(answer)
            attempt += 1
            if envelope.code != _RACE or not await self._exchanges.patience.after_outage(attempt):
                break
        if envelope.is_accepted:
            return self.bearer_of(self._exchanges.reply(answer, envelope), stale)
        self._exchanges.check_own(envelope)
        await self._refuse_if_suspended(envelope)
        raise await self._ended(stale)

    async def _is_dead(self, request: Request) -> bool:
        """True if a refusal with status 200 means that the session is over, which FEB tells in no other way."""
        if isinstance(self._keeper.credential, BearerSession):
            return False
        if request.path == SELF_PATH and request.method == "GET":
            return True
        answer = await self._exchanges.send(_signed(Request("GET", SELF_PATH), self._session()), is_repeatable=True)
        return not self._exchanges.envelope(answer).is_accepted

    async def _ended(self, session: Credential) -> SessionEnded:
        await self._keeper.end(forget=False)
        return SessionEnded(_NO_LONGER_ACCEPTED if isinstance(session, TokenSession) else None)

    async def _refuse_if_suspended(self, envelope: Envelope) -> None:
        if envelope.code == _DISABLED:
            await self._keeper.end(forget=False)
            raise SessionSuspended

    async def _keep_cookie(self, answer: HttpAnswer) -> None:
        session = self._keeper.credential
        cookie = answers.cookies_of(answer).get(SESSION_COOKIE)
        if cookie and isinstance(session, CookieSession):
            await self._keeper.put(replace(session, cookie=cookie))

    def _session(self) -> Credential:
        if self._keeper.credential is None:
            raise SessionEnded
        return self._keeper.credential


def _signed(request: Request, session: Credential) -> Request:
    return replace(request, headers={**request.headers, **session.headers})


def _fits_a_header(token: str) -> bool:
    return all("!" <= letter <= "~" for letter in token)
