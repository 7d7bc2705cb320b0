"""Passkeys, and the ceremonies that a browser runs at the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from store.errors import NotAllowed
from tui.local_account.topic import LocalTopic
from tui.origin import peer, source

if TYPE_CHECKING:
    from store.store import Store
    from store.values.passkeys import CeremonyStarted, CeremonyState
    from store.values.sign_in import SecondFactorNeeded
    from tui.account import PasskeyPage

_BY_CEREMONY: Final = "A passkey is registered by a ceremony here."


class LocalPasskeys(LocalTopic):
    """`PasskeyService` on the store."""

    async def begin_passkey_registration(self, label: str) -> PasskeyPage:
        return await self._page(await self._call(self._store.ceremonies.begin_registration, label))

    async def has_passkey(self) -> bool:
        raise NotAllowed(_BY_CEREMONY)

    async def begin_passkey_proof(self) -> PasskeyPage:
        return await self._page(await self._call(self._store.ceremonies.begin_proof))

    async def begin_passkey_sign_in(self) -> PasskeyPage:
        begin = self._store.ceremonies.begin_sign_in
        return await self._page(await self._call_without_session(begin, source=source(), peer=peer()))

    async def passkey_outcome(self, page: PasskeyPage) -> CeremonyState:
        return await self._call_without_session(self._store.ceremonies.outcome, page.started.ticket)

    async def finish_passkey_sign_in(self, page: PasskeyPage) -> SecondFactorNeeded | None:
        collect = self._store.ceremonies.collect_sign_in
        return await self._enter(collect, page.started.ticket, source=source(), peer=peer())

    async def cancel_passkey(self, page: PasskeyPage) -> None:
        await self._call_without_session(self._store.ceremonies.cancel, page.started.ticket)

    async def rename_passkey(self, passkey_id: int, label: str) -> None:
        await self._call(self._store.passkeys.rename, passkey_id, label)

    async def remove_passkey(self, passkey_id: int) -> None:
        await self._call(self._store.passkeys.remove, passkey_id)

    async def _page(self, started: CeremonyStarted) -> PasskeyPage:
        return await self._call_without_session(_page, self._store, started)


def _page(store: Store, started: CeremonyStarted) -> PasskeyPage:
    """The gateway's page for a ceremony. Raises `PasskeysDisabled`."""
    from gateway.pages import page_address
    from store.errors import PasskeysDisabled
    from tui.account import PasskeyPage

    origin = store.site.text("passkeys.origin")
    if not origin:
        raise PasskeysDisabled("The administrator has not configured where the passkey page is.")
    return PasskeyPage(page_address(origin), page_address(origin, started.code), started)
