"""The password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.local_account.topic import LocalTopic

if TYPE_CHECKING:
    from store.store import Store
    from store.strength import Strength


class LocalPasswords(LocalTopic):
    """`PasswordService` on the store."""

    async def estimate_password(self, password: str, *known_words: str) -> Strength:
        from store.strength import estimate

        return await self._call_without_session(estimate, password, known_words)

    async def minimum_password_length(self) -> int:
        return await self._call_without_session(self._store.passwords.shortest, self._token)

    async def check_new_password(self, password: str, *known_words: str) -> None:
        await self._call_without_session(_check_new, self._token, self._store, password, known_words)

    async def change_password(self, original: str, new: str, confirmation: str) -> None:
        await self._call(self._store.passwords.change, original, new, confirmation)
        self._session.clear_notice()


def _check_new(token: str, store: Store, password: str, known_words: tuple[str, ...]) -> None:
    """`token` is empty before there is an account."""
    from store.passwords import check_new, prepare

    if token:
        acting = store.sessions.whoami(token)
        known_words = (acting.name, acting.email)
    shortest = store.passwords.shortest(token)
    check_new(prepare(password), known_words, estimator=store.context.estimator, shortest=shortest)
