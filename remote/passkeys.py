"""The passkey of an account: these servers have one. It is registered in a browser, on the server's own page."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from remote.calls import Calls
from remote.fields import required
from remote.two_factor import TwoFactor
from store.errors import FreshProofRequired, NotOnThisServer, ServerRefused

PASSKEY_PATH: Final = "/api/user/passkey"
_SCOPE: Final = "passkey.delete"
_NEEDS_PASSKEY: Final = "This server wants the passkey itself for that. Remove it on its own page, in a browser."


@dataclass(frozen=True, slots=True)
class PasskeyState:
    """Whether there is a passkey, and its last use."""

    is_registered: bool
    last_used_at: datetime | None


class Passkeys:
    """Tells about the passkey, and removes it."""

    def __init__(self, calls: Calls, two_factor: TwoFactor) -> None:
        self._calls = calls
        self._two_factor = two_factor

    async def state(self) -> PasskeyState:
        """The state now. Raises `NotOnThisServer` for FEB with a System Access Token, and the session errors."""
        data = required(await self._calls.read(PASSKEY_PATH))
        return PasskeyState(data.flag("enabled"), _time(data.raw_text("last_used_at")))

    async def remove(self, code: str = "") -> None:
        """Remove the passkey. AUG wants a code of the authenticator if the second factor is on.

        Raises `FreshProofRequired` if a code is needed and `code` is empty, `WrongCode`, `TooManyAttempts`,
        `NotOnThisServer` if only the passkey itself would do, and the session errors.
        """
        headers = {}
        if code:
            headers["X-Security-Proof"] = await self._two_factor.proof(code, _SCOPE)
        try:
            reply = await self._calls.change("DELETE", PASSKEY_PATH, headers=headers)
        except ServerRefused as error:
            if not error.code.startswith("SECURITY_PROOF"):
                raise
            if (await self._two_factor.state()).is_enabled:
                raise FreshProofRequired("Enter a code of your authenticator app to go on.") from error
            raise NotOnThisServer(_NEEDS_PASSKEY) from error
        await self._calls.adopt_bundle(reply)


def _time(text: str) -> datetime | None:
    """The time in a text such as 2026-11-26T01:43:30.958239429Z; None for any other."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None
