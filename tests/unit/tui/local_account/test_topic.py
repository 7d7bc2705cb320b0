"""The calls of `LocalAccount` into the store: in another thread, with the session's token, and typed."""

import threading
from typing import Final

import pytest

from store.errors import NoSuchItem, SessionEnded
from store.sections import PriceSettings
from store.store import Store
from store.values.sections import Saved
from tests.harness.stores import sign_in, store_with_account
from tui.local_account import LocalAccount
from tui.local_account.topic import LocalTopic
from tui.store_location import Options

TOKEN: Final = "a token"


def describe(token: str, *words: str, end: str = "") -> tuple[str, int]:
    return token + "".join(words) + end, threading.get_ident()


async def test_a_call_runs_in_another_thread_with_the_token_first() -> None:
    topic = LocalTopic(Options(), token=TOKEN)
    text, thread = await topic._call(describe, " and", " words", end=".")
    assert text == "a token and words."
    assert thread != threading.get_ident()


async def test_a_call_without_session_passes_its_arguments_alone() -> None:
    text, thread = await LocalTopic(Options(), token=TOKEN)._call_without_session(describe, "no", " token", end=".")
    assert text == "no token."
    assert thread != threading.get_ident()


async def test_without_a_session_nothing_is_called() -> None:
    with pytest.raises(SessionEnded):
        await LocalTopic(Options())._call(describe)


async def test_before_the_store_is_open_a_call_raises_the_typed_error() -> None:
    """The method is looked up on the store: that it is not there yet is no `AttributeError`."""
    account = LocalAccount(Options(), token=TOKEN)
    for call in (account.summary, account.quota, account.prices, account.lock, account.begin_passkey_sign_in):
        with pytest.raises(SessionEnded):
            await call()


async def test_an_error_of_the_store_arrives_as_it_is() -> None:
    store = store_with_account()
    account = LocalAccount(Options(), opened=store, token=sign_in(store))
    with pytest.raises(NoSuchItem):
        await account.revoke_session(404)
    store.close()


async def typed(topic: LocalTopic, store: Store) -> Saved[PriceSettings]:
    """For the type checker. Each `type: ignore` here fails its run if the mistake beside it is not one to it."""
    await topic._call(store.sessions.revoke, 7)
    await topic._call(store.sessions.revoke, "7")  # type: ignore[arg-type]
    await topic._call(store.sessions.revoke)  # type: ignore[call-arg]
    await topic._call(store.sessions.revoke, 7, 8)  # type: ignore[call-arg]
    await topic._call(store.api_keys.create, "name", expiry=None)  # type: ignore[call-arg]
    await topic._call(store.pricing.all)  # type: ignore[arg-type]
    await topic._call_without_session(store.pricing.all)
    await topic._call_without_session(store.sessions.revoke, 7)  # type: ignore[call-arg]
    await topic._enter(store.sign_in.with_password, "name", "password", source="test")
    await topic._enter(store.sign_in.with_password, "name", source="test")  # type: ignore[call-arg]
    await topic._enter(store.sessions.lock, TOKEN)  # type: ignore[arg-type]
    count: int = await topic._call(store.sessions.sign_out_others)
    name: str = await topic._call(store.sessions.sign_out_others)  # type: ignore[arg-type]
    return await topic._call(store.settings.save, PriceSettings(), count + len(name))
