"""Settings of an account on a server: one channel, nothing of another tab lost, and two consoles at once."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from remote.address import parse_server_address
from remote.client import RemoteClient
from remote.kept_sessions import KeptSessions
from remote.patience import Patience, Told
from store.errors import InvalidMoney, NotOnThisServer, SessionEnded, SessionLocked, WrongOriginalPassword
from store.sections import NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings
from store.values.sections import SettingsConflict
from tests.harness.stores import make_ring
from tests.new_api.generations import Generation
from tests.new_api.running import PASSWORD, StandIn
from tui.remote_account import RemoteAccount
from tui.store_location import Options


@asynccontextmanager
async def signed_in(
    standin: StandIn, kept: KeptSessions | None = None, *, resumes: str = ""
) -> AsyncIterator[RemoteAccount]:
    address = parse_server_address(standin.address)

    def connect(told: Told) -> RemoteClient:
        return RemoteClient(address, kept=kept, patience=Patience(told=told), clock=standin.clock)

    account = RemoteAccount(address, connect, Options(), resumes=resumes)
    await account.open()
    try:
        if not resumes:
            assert await account.sign_in("alice", PASSWORD) is None
        yield account
    finally:
        await account.close()


async def test_a_save_of_one_tab_keeps_the_others(standin: StandIn) -> None:
    async with signed_in(standin) as account:
        sidebar = await account.load(SidebarSettings)
        await account.save(SidebarSettings(frozenset({"wallet"})), sidebar.version)
        price = await account.load(PriceSettings)
        await account.save(PriceSettings(accept_unpriced_models=True), price.version)
        privacy = await account.load(PrivacySettings)
        await account.save(PrivacySettings(record_client_ip=True), privacy.version)
        assert (await account.load(SidebarSettings)).section.hidden_modules == frozenset({"wallet"})
        assert (await account.load(PriceSettings)).section.accept_unpriced_models
        assert (await account.load(PrivacySettings)).section.record_client_ip


async def test_the_fields_of_a_channel_are_kept_while_another_one_is_on(standin: StandIn) -> None:
    async with signed_in(standin) as account:
        saved = await account.load(NotificationSettings)
        webhook = replace(
            saved.section,
            email_on=False,
            webhook_on=True,
            webhook_url="https://hooks.example.com/a",
            threshold_micro_usd=2_000_000,
        )
        saved = await account.save(webhook, saved.version)
        assert (standin.alice.setting or {})["quota_warning_threshold"] == 1_000_000
        saved = await account.save(replace(saved.section, email_on=True, webhook_on=False), saved.version)
        assert (standin.alice.setting or {})["notify_type"] == "email"
        assert saved.section.webhook_url == "https://hooks.example.com/a"


async def leave_gotify(account: RemoteAccount) -> None:
    """Save Gotify with its token, then switch to e-mail: the server forgets the token."""
    saved = await account.load(NotificationSettings)
    gotify = replace(
        saved.section,
        email_on=False,
        gotify_on=True,
        gotify_url="https://gotify.example.com",
        gotify_token=NotificationSettings().gotify_token.replaced("AbCdEfGhIjKlMnOp"),
        gotify_priority=8,
        threshold_micro_usd=2_000_000,
    )
    saved = await account.save(gotify, saved.version)
    await account.save(replace(saved.section, email_on=True, gotify_on=False), saved.version)


async def test_a_console_that_is_opened_later_has_the_fields_that_the_server_forgot(
    standin: StandIn, tmp_path: Path
) -> None:
    kept = KeptSessions(tmp_path / "remote", make_ring(), random.Random(1))
    async with signed_in(standin, kept) as first:
        await leave_gotify(first)
        assert "on this machine, sealed, until you sign out" in first.capabilities.one_channel
    assert "AbCd" not in str(standin.alice.setting)
    assert not any(b"AbCd" in path.read_bytes() for path in (tmp_path / "remote").iterdir())
    async with signed_in(standin, kept, resumes="alice") as second:
        saved = await second.load(NotificationSettings)
        section = saved.section
        assert (section.email_on, section.gotify_on) == (True, False)
        assert (section.gotify_url, section.gotify_priority) == ("https://gotify.example.com", 8)
        assert section.gotify_token.hint == "…MnOp"
        assert "AbCd" not in repr(section)
        await second.save(replace(section, email_on=False, gotify_on=True), saved.version)
        assert (standin.alice.setting or {})["gotify_token"] == "AbCdEfGhIjKlMnOp"
        await second.sign_out()
        assert await second.sign_in("alice", PASSWORD) is None
        await second.load(NotificationSettings)


async def test_without_a_kept_session_the_fields_last_as_long_as_the_console(standin: StandIn) -> None:
    async with signed_in(standin) as first:
        await leave_gotify(first)
        assert (await first.load(NotificationSettings)).section.gotify_token.is_set
        assert "here until you sign out or close this console" in first.capabilities.one_channel
        await first.sign_out()
        assert await first.sign_in("alice", PASSWORD) is None
        assert not (await first.load(NotificationSettings)).section.gotify_token.is_set
    async with signed_in(standin) as second:
        assert not (await second.load(NotificationSettings)).section.gotify_token.is_set


async def test_fields_that_cannot_be_written_are_said_to_be_in_memory(standin: StandIn, tmp_path: Path) -> None:
    kept = KeptSessions(tmp_path / "remote", make_ring(), random.Random(1))
    async with signed_in(standin, kept) as account:
        await account.load(NotificationSettings)
        (tmp_path / "remote").rename(tmp_path / "gone")
        (tmp_path / "remote").write_text("a file in its place")
        form = (await account._client.settings.read()).form
        await account._keep(replace(form, webhook_url="https://hooks.example.com/b"))
        assert "close this console" in account.capabilities.one_channel


async def test_what_the_server_has_not_is_refused_at_its_field(standin: StandIn) -> None:
    async with signed_in(standin) as account:
        saved = await account.load(NotificationSettings)
        with pytest.raises(NotOnThisServer) as refused:
            await account.save(replace(saved.section, email_on=False), saved.version)
        assert refused.value.field == "email_on"
        with pytest.raises(InvalidMoney):
            await account.save(replace(saved.section, threshold_micro_usd=0), saved.version)


async def test_the_second_of_two_consoles_sees_the_save_of_the_first(standin: StandIn) -> None:
    async with signed_in(standin) as first, signed_in(standin) as second:
        mine, theirs = await first.load(PriceSettings), await second.load(PriceSettings)
        await second.save(PriceSettings(accept_unpriced_models=True), theirs.version)
        with pytest.raises(SettingsConflict) as conflict:
            await first.save(PriceSettings(accept_unpriced_models=True), mine.version)
        assert conflict.value.theirs.section == PriceSettings(accept_unpriced_models=True)
        # What the person was shown then is what the next save stands on.
        await first.save(PriceSettings(accept_unpriced_models=False), conflict.value.theirs.version)
        assert not (await second.load(PriceSettings)).section.accept_unpriced_models


async def test_a_locked_console_asks_for_the_password(standin: StandIn) -> None:
    async with signed_in(standin) as account:
        await account.lock()
        with pytest.raises(SessionLocked):
            await account.load(PriceSettings)
        with pytest.raises(WrongOriginalPassword):
            await account.prove_with_password("Wr0ng-word")
        with pytest.raises(SessionLocked):
            await account.load(PriceSettings)
        await account.prove_with_password(PASSWORD)
        await account.load(PriceSettings)
        await account.sign_out()
        with pytest.raises(SessionEnded):
            await account.load(PriceSettings)


async def test_a_token_is_made_once_for_each_time_it_is_asked_for(standin: StandIn) -> None:
    async with signed_in(standin) as account:
        for _ in range(3):
            await account.quota()
            await account.load(NotificationSettings)
        assert not standin.alice.access_token
        made = await account.generate_access_token()
        assert standin.alice.access_token == made.token


async def test_an_unlocked_console_leaves_no_second_session(standin: StandIn) -> None:
    async with signed_in(standin) as account:
        for _ in range(2):
            await account.lock()
            await account.prove_with_password(PASSWORD)
        sessions = (await account.security()).sessions
        assert [one.is_current for one in sessions] == ([] if standin.world.generation is Generation.FEB else [True])


async def test_a_secret_that_is_too_short_for_a_hint_is_not_shown_by_it(standin: StandIn) -> None:
    empty = NotificationSettings()
    async with signed_in(standin) as account:
        saved = await account.load(NotificationSettings)
        gotify = replace(
            saved.section,
            email_on=False,
            gotify_on=True,
            gotify_url="https://gotify.example.com",
            gotify_token=empty.gotify_token.replaced("AbCd"),
            threshold_micro_usd=2_000_000,
        )
        saved = await account.save(gotify, saved.version)
        assert saved.section.gotify_token.hint == "…"
        longer = replace(saved.section, gotify_token=empty.gotify_token.replaced("AbCdEfGhIjKlMnOp"))
        assert (await account.save(longer, saved.version)).section.gotify_token.hint == "…MnOp"
