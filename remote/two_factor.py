"""Two-factor authentication, which is switched on, changed and off with codes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NoReturn
from urllib.parse import quote

from remote.calls import Calls
from remote.exchanges import Reply
from remote.fields import required, texts_of
from store.clock import Clock
from store.errors import (
    AlreadyEnabled,
    AnswerUnreadable,
    ServerRefused,
    TooManyAttempts,
    WrongCode,
)
from store.values.two_factor import Enrolment

BACKUP_CODES: Final = 4
LOCK: Final = timedelta(minutes=5)
"""After five wrong codes. Nothing tells how much of it is left."""
_BASE: Final = "/api/user/2fa"
_ENROLMENT_LIFE: Final = timedelta(hours=1)
"""The server keeps an unfinished enrolment until the next one begins; the console does not."""


@dataclass(frozen=True, slots=True)
class TwoFactorState:
    """The state of the second factor."""

    is_enabled: bool
    is_locked: bool
    """True for five minutes after five wrong codes."""
    codes_left: int


class TwoFactor:
    """Enrols, renews backup codes, and disables."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock

    async def state(self) -> TwoFactorState:
        """The state now. Raises the session errors."""
        data = required(await self._calls.read(f"{_BASE}/status"))
        return TwoFactorState(data.flag("enabled"), data.flag("locked"), data.whole("backup_codes_remaining"))

    async def begin(self, issuer: str, name: str) -> Enrolment:
        """Begin an enrolment in the place of an unfinished one. Its secret and codes are returned this once.

        `issuer` and `name` label the entry in the authenticator: the server's own address for it is not escaped.
        Raises `AlreadyEnabled` and the session errors.
        """
        try:
            reply = await self._calls.change("POST", f"{_BASE}/setup")
        except ServerRefused as error:
            if (await self.state()).is_enabled:
                raise AlreadyEnabled from error
            raise
        data = required(reply.data)
        secret = data.raw_text("secret")
        codes = data.texts("backup_codes")
        if not secret.isascii() or not secret.isalnum() or not codes:
            raise AnswerUnreadable
        label = f"{quote(issuer, safe='')}:{quote(name, safe='')}"
        uri = f"otpauth://totp/{label}?secret={secret}&issuer={quote(issuer, safe='')}&digits=6&period=30"
        return Enrolment(secret, uri, codes, self._clock.now() + _ENROLMENT_LIFE)

    async def enable(self, code: str) -> None:
        """Enable the second factor with a code of the authenticator. AUG ends every other session with it.

        Raises `WrongCode`, `TooManyAttempts` and the session errors.
        """
        await self._with_code("enable", code)

    async def disable(self, code: str) -> None:
        """Disable it with a code of the authenticator, or a backup code. As `enable`."""
        await self._with_code("disable", code)

    async def renew_codes(self, code: str) -> tuple[str, ...]:
        """Make backup codes in the place of the old ones, with a code of the authenticator. As `enable`."""
        reply = await self._with_code("backup_codes", code)
        codes = texts_of(required(reply.data).members.get("backup_codes"))
        if not codes:
            raise AnswerUnreadable
        return codes

    async def proof(self, code: str, scope: str) -> str:
        """A proof of identity for `scope`, good for five minutes (AUG). As `enable`."""
        body = {"method": "2fa", "code": code.strip(), "scope": scope}
        try:
            reply = await self._calls.change("POST", "/api/verify", body, signs_in=True)
        except ServerRefused as error:
            await self._explain(error)
        return required(reply.data).raw_text("proof_token")

    async def _with_code(self, act: str, code: str) -> Reply:
        body: dict[str, Any] = {"code": code.strip()}
        try:
            reply = await self._calls.change("POST", f"{_BASE}/{act}", body)
        except ServerRefused as error:
            await self._explain(error)
        await self._calls.adopt_bundle(reply)
        return reply

    async def _explain(self, error: ServerRefused) -> NoReturn:
        """Raise the error of a refused code. A wrong code and a lock are refused alike; the state tells them apart."""
        if (await self.state()).is_locked:
            raise TooManyAttempts(LOCK) from error
        raise WrongCode(field="code") from error
