"""Sign-in with a password and a code, or with a System Access Token; sign-up; sign-out."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from remote import passwords
from remote.calls import Calls
from remote.exchanges import Reply
from remote.fields import fields_of, required
from remote.generations import Generation, ServerFacts
from remote.own_account import own_account
from remote.sessions import (
    REFRESH_COOKIE,
    SESSION_COOKIE,
    BearerSession,
    CookieSession,
    Credential,
    TokenSession,
)
from store import inputs
from store.clock import Clock
from store.errors import (
    AnswerUnreadable,
    BrowserNeeded,
    InvalidName,
    InvalidNumber,
    InvalidSecret,
    LimitReached,
    NotOnThisServer,
    ServerRateLimited,
    ServerRefused,
    SignInExpired,
    WrongCode,
    WrongCredentials,
)
from store.values.sign_in import SecondFactorNeeded

LOGIN_PATH: Final = "/api/user/login"
CODE_PATH: Final = "/api/user/login/2fa"
REGISTER_PATH: Final = "/api/user/register"
MAIL_PATH: Final = "/api/verification"
LONGEST_NAME: Final = 20
_COOKIE_TICKET: Final = "cookie:"
_FLOW_TICKET: Final = "flow:"
_COOKIE_TICKET_LIFE: Final = timedelta(hours=1)
"""The server sets no end to a half sign-in by cookie; the console does."""
_FLOW_LIFE: Final = timedelta(minutes=5)
_MAX_TOKEN_LENGTH: Final = 512
_ID_NEEDED: Final = (
    "This server wants the id of your user with the token. Its web page shows it in Settings, beside your name."
)
_WRONG_CODE: Final = (
    "The code is wrong, or codes are refused for five minutes after five wrong ones. Enter the one your authenticator "
    "app shows now, or a backup code."
)
_TOO_MANY_SESSIONS: Final = "This account has as many sessions as the server allows. Sign out somewhere else first."
_TOO_MANY_SIGN_INS: Final = "The server allows this account no more sign-ins today. Use a session that is still open."
_NOT_REGISTERED: Final = (
    "The server did not create the account: it may take no new ones, the name may be taken, or it did not accept the "
    "password or the code."
)
_MAIL_NOT_SENT: Final = (
    "The server did not send a code: the address may belong to another account, or it has no mail server."
)


class SignIn:
    """Opens and ends the session of an account. None of it needs a session."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock

    async def with_password(self, facts: ServerFacts, name: str, password: str) -> SecondFactorNeeded | None:
        """Sign in; returns None if that opened a session, or the step that `with_code` completes.

        Raises `BrowserNeeded` and `NotOnThisServer` before the password is sent, `WrongCredentials` (also for a
        suspended account), `LimitReached`, `ServerRateLimited`, and the children of `ServerFailed`.
        """
        if facts.asks_for_captcha:
            raise BrowserNeeded
        if not facts.signs_in_by_password:
            raise NotOnThisServer("This server has no sign-in by password. Sign in with a System Access Token instead.")
        with _refusals(WrongCredentials()):
            reply = await self._calls.open_to_all("POST", LOGIN_PATH, {"username": name, "password": password})
        data = fields_of(reply.data)
        if not data.flag("require_2fa"):
            await self._open(reply)
            return None
        flow_token = data.raw_text("flow_token")
        cookie = reply.cookies.get(SESSION_COOKIE, "")
        if flow_token:
            expires_at = data.time("expires_at")
            life = expires_at - reply.sent_at if expires_at and reply.sent_at else _FLOW_LIFE
            if not timedelta(0) < life <= _COOKIE_TICKET_LIFE:
                life = _FLOW_LIFE
            return SecondFactorNeeded(_FLOW_TICKET + flow_token, name, self._clock.now() + life)
        if cookie:
            return SecondFactorNeeded(_COOKIE_TICKET + cookie, name, self._clock.now() + _COOKIE_TICKET_LIFE)
        raise AnswerUnreadable

    async def with_code(self, step: SecondFactorNeeded, code: str) -> None:
        """Complete a sign-in with an authenticator code or a backup code. `step` stays usable after a wrong one.

        Raises `WrongCode` (also while codes are locked: the server does not tell), `SignInExpired`, `LimitReached`,
        `ServerRateLimited`, and the children of `ServerFailed`.
        """
        if step.expires_at <= self._clock.now():
            raise SignInExpired
        body, headers = {"code": code.strip()}, {}
        if step.ticket.startswith(_FLOW_TICKET):
            body["flow_token"] = step.ticket.removeprefix(_FLOW_TICKET)
        else:
            headers["Cookie"] = f"{SESSION_COOKIE}={step.ticket.removeprefix(_COOKIE_TICKET)}"
        with _refusals(WrongCode(_WRONG_CODE)):
            reply = await self._calls.open_to_all("POST", CODE_PATH, body, headers=headers)
        await self._open(reply)

    async def with_access_token(self, facts: ServerFacts, token: str, user_id: str = "") -> None:
        """Sign in with a System Access Token, and with the id of the user where the server wants it.

        Raises `InvalidSecret` with field `token`, `InvalidNumber` with field `user_id`, `InvalidToken`,
        `AccountSuspended`, and the children of `ServerFailed`.
        """
        bare = token.strip()
        if not bare or len(bare) > _MAX_TOKEN_LENGTH or not all("!" <= letter <= "~" for letter in bare):
            raise InvalidSecret("A System Access Token has no spaces and no accents.", field="token")
        number = user_id.strip()
        if number and not (number.isascii() and number.isdigit() and int(number[:18]) > 0 and len(number) <= 18):
            raise InvalidNumber("The id of a user is a whole number, such as 42.", field="user_id")
        if facts.is_feb and not number:
            raise InvalidNumber(_ID_NEEDED, field="user_id")
        # AUG knows its tokens without the id, and no client of it sends one.
        is_named = number and facts.generation is not Generation.AUG
        credential = TokenSession(bare, int(number) if is_named else None)
        account = own_account(required(await self._calls.account_behind(credential)))
        await self._calls.keeper.open(account.name, credential)

    async def register(self, facts: ServerFacts, name: str, password: str, email: str = "", code: str = "") -> None:
        """Create an account, without signing in to it. `email` and `code` where the server asks for them.

        Raises `InvalidName` with field `username`, what `remote.passwords.check` raises with field `password`,
        `NotOnThisServer` where sign-up is closed, `BrowserNeeded`, `ServerRefused`, `ServerRateLimited`, and the
        children of `ServerFailed`.
        """
        if not 1 <= len(name) <= LONGEST_NAME or name != name.strip():
            raise InvalidName(f"This server takes names of 1 to {LONGEST_NAME} characters.", field="username")
        passwords.check(password, field="password")
        if not facts.registers:
            raise NotOnThisServer("This server takes no new accounts.")
        if facts.asks_for_captcha:
            raise BrowserNeeded("Its sign-up shows a captcha. Create the account on its web page.")
        body = {"username": name, "password": password}
        if email:
            body |= {"email": email, "verification_code": code}
        with _refusals(ServerRefused(_NOT_REGISTERED)):
            await self._calls.open_to_all("POST", REGISTER_PATH, body)

    async def send_code(self, facts: ServerFacts, email: str) -> None:
        """Have a code sent to the address of an account that is to be created.

        Raises `InvalidEmail` with field `email`, `BrowserNeeded`, `ServerRefused`, `ServerRateLimited`, and the
        children of `ServerFailed`.
        """
        address = inputs.check_email(email, field="email")
        if facts.asks_for_captcha:
            raise BrowserNeeded("Its sign-up shows a captcha. Create the account on its web page.")
        with _refusals(ServerRefused(_MAIL_NOT_SENT, field="email")):
            await self._calls.open_to_all("GET", MAIL_PATH, params={"email": address}, signs_in=False)

    async def sign_out(self, origin: str) -> None:
        """End the session, here and on the server; without one, do nothing. A System Access Token stays valid.

        Raises the children of `ServerFailed` if the server did not hear of it; here the session is gone all the same.
        """
        session = self._calls.keeper.credential
        await self._calls.keeper.end(forget=True)
        with contextlib.suppress(ServerRefused):  # it had ended before
            match session:
                case CookieSession():
                    await self._calls.open_to_all("GET", "/api/user/logout", headers=session.headers, signs_in=False)
                case BearerSession():
                    headers = {
                        **session.headers,
                        "Cookie": f"{REFRESH_COOKIE}={session.refresh_cookie}",
                        "Origin": origin,
                        "X-Auth-Session": session.session_id,
                    }
                    await self._calls.open_to_all("POST", "/api/user/auth/logout", headers=headers, signs_in=False)

    async def _open(self, reply: Reply) -> None:
        """Begin with the session in the answer to a sign-in: AUG's has a token in it, FEB's comes as a cookie."""
        data = required(reply.data)
        if "access_token" in data:
            credential: Credential = self._calls.bearer_of(reply)
            user = data.object("user")
        else:
            credential, user = CookieSession(data.whole("id"), reply.cookies.get(SESSION_COOKIE, "")), data
            if not credential.cookie:
                raise AnswerUnreadable
        name = user.text("username", 200)
        if user.whole("id") <= 0 or not name:
            raise AnswerUnreadable
        await self._calls.keeper.open(name, credential)


@contextlib.contextmanager
def _refusals(usual: Exception) -> Iterator[None]:
    """Turn a refusal of a sign-in into the error that its code stands for, or else into `usual`."""
    try:
        yield
    except ServerRefused as error:
        if error.code == "AUTH_SESSION_LIMIT":
            raise LimitReached(_TOO_MANY_SESSIONS) from error
        if error.code == "AUTH_SESSION_ISSUANCE_LIMIT":
            raise ServerRateLimited(_TOO_MANY_SIGN_INS) from error
        raise usual from error
