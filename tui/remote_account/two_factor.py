"""Two-factor authentication and the passkey. A code that was given as a proof goes with the act that asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from store.errors import FreshProofRequired, NotOnThisServer, StepMissing, WrongCode
from store.values.capabilities import UNKNOWN_TIME
from store.values.two_factor import TwoFactorStatus
from tui.remote_account.topic import RemoteTopic

if TYPE_CHECKING:
    from store.values.two_factor import Enrolment

_CODE_NEEDED = "The server wants a code of your authenticator app for this."


class RemoteTwoFactor(RemoteTopic):
    """`TwoFactorService` and `PasskeyService` on a server."""

    _codes: tuple[str, ...] = ()
    """The backup codes of an enrolment under way, until one of them was typed back."""
    _are_saved = False

    async def begin_two_factor(self) -> Enrolment:
        self._check_open()
        enrolment = await self._client.two_factor.begin(
            self._known.system_name or self._address.host, self._client.name
        )
        self._codes, self._are_saved = enrolment.codes, False
        return enrolment

    async def confirm_codes_saved(self, code: str) -> None:
        """Compare it here: the server asks for no such confirmation."""
        if _bare(code) not in {_bare(each) for each in self._codes}:
            raise WrongCode("This is none of the codes above.", field="saved-code")
        self._codes, self._are_saved = (), True

    async def complete_two_factor(self, code: str) -> TwoFactorStatus:
        if not self._are_saved:
            raise StepMissing
        self._check_open()
        await self._client.two_factor.enable(code)
        self._are_saved = False
        return await self._two_factor_status()

    async def cancel_two_factor(self) -> None:
        """The server forgets an unfinished enrolment when the next one begins."""
        self._codes, self._are_saved = (), False

    async def disable_two_factor(self, password: str = "") -> None:  # noqa: ARG002 (the protocol's)
        self._check_open()
        await self._client.two_factor.disable(self._take_code())

    async def renew_backup_codes(self) -> tuple[str, ...]:
        self._check_open()
        return await self._client.two_factor.renew_codes(self._take_code())

    async def _two_factor_status(self) -> TwoFactorStatus:
        """The status. When it was switched on is not known."""
        state = await self._client.two_factor.state()
        return TwoFactorStatus(UNKNOWN_TIME if state.is_enabled else None, state.codes_left, 4)

    # -- the passkey

    async def remove_passkey(self, passkey_id: int) -> None:  # noqa: ARG002 (there is one)
        self._check_open()
        code, self._code = self._code, ""
        await self._client.passkeys.remove(code)

    async def has_passkey(self) -> bool:
        self._check_open()
        return (await self._client.passkeys.state()).is_registered

    async def begin_passkey_registration(self, label: str) -> Any:  # noqa: ARG002 (the protocol's)
        self._refuse()

    async def begin_passkey_proof(self) -> Any:
        self._refuse()

    async def begin_passkey_sign_in(self) -> Any:
        self._refuse()

    async def passkey_outcome(self, *_: Any) -> Any:
        self._refuse()

    async def finish_passkey_sign_in(self, *_: Any) -> Any:
        self._refuse()

    async def cancel_passkey(self, *_: Any) -> None:
        self._refuse()

    async def rename_passkey(self, *_: Any) -> Any:
        self._refuse()

    def _take_code(self) -> str:
        """The code that was given as a proof; it serves once. Raises `FreshProofRequired` without one."""
        code, self._code = self._code, ""
        if not code:
            raise FreshProofRequired(_CODE_NEEDED)
        return code

    def _refuse(self) -> NoReturn:
        raise NotOnThisServer


def _bare(code: str) -> str:
    return code.replace("-", "").replace(" ", "").casefold()
