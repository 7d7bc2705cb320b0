"""Two-factor authentication."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from store.values.two_factor import Enrolment, TwoFactorStatus


class LocalTwoFactor(LocalTopic):
    """`TwoFactorService` on the store."""

    async def begin_two_factor(self) -> Enrolment:
        return await self._call(self._store.two_factor.begin)

    async def confirm_codes_saved(self, code: str) -> None:
        await self._call(self._store.two_factor.confirm_saved, code)

    async def complete_two_factor(self, code: str) -> TwoFactorStatus:
        status = await self._call(self._store.two_factor.complete, code)
        self._session.clear_notice()
        return status

    async def cancel_two_factor(self) -> None:
        await self._call(self._store.two_factor.cancel)

    async def disable_two_factor(self, password: str = "") -> None:
        await self._call(self._store.two_factor.disable, password)

    async def renew_backup_codes(self) -> tuple[str, ...]:
        return await self._call(self._store.two_factor.renew_codes)
