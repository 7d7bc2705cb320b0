"""The client against servers of both generations over a real connection: sessions, saves, faults."""

import asyncio
import random
from pathlib import Path

import pytest

from remote.generations import Generation as Spoken
from remote.kept_sessions import KeptSessions
from remote.setting_forms import NotificationForm
from remote.settings import ChangedOnServer
from store.errors import (
    AnswerUnreadable,
    BrowserNeeded,
    GatekeyError,
    InvalidToken,
    NoSuchItem,
    NotANewApi,
    NotOnThisServer,
    ServerFailed,
    SessionEnded,
    WrongCode,
    WrongCredentials,
    WrongOriginalPassword,
)
from store.sections import Channel
from tests.harness.scripted_server import Waits
from tests.harness.standin_clients import client_on, is_feb
from tests.harness.stores import make_ring
from tests.new_api.running import PASSWORD, StandIn

SELF, SETTING = "/api/user/self", "/api/user/setting"
MAIL = NotificationForm(Channel.EMAIL, 1_500_000, notification_email="alice@example.com")


async def test_the_generation_is_told(standin: StandIn) -> None:
    async with client_on(standin, signed_in=False) as client:
        facts = await client.facts()
    assert facts.generation is (Spoken.FEB if is_feb(standin) else Spoken.AUG)
    assert (int(facts.quota_per_usd), facts.asks_for_captcha, facts.registers) == (500_000, False, True)


async def test_sign_in_self_and_sign_out(standin: StandIn) -> None:
    async with client_on(standin, signed_in=False) as client:
        with pytest.raises(WrongCredentials):
            await client.sign_in("alice", "wrong-password")
        await client.sign_in("alice", PASSWORD)
        account = await client.account()
        assert (account.name, account.quota) == ("alice", 2_500_000)
        await client.sign_out()
        with pytest.raises(SessionEnded):
            await client.account()


async def test_a_session_is_refreshed_when_its_token_has_expired(standin: StandIn) -> None:
    async with client_on(standin) as client:
        for _ in range(3):
            standin.clock.advance(minutes=20)
            assert (await client.account()).name == "alice"


class TruePauses(Waits):
    """Waits that take their time. One program waits for the other's lock, which 400 waits of no time would outrun."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def test_two_programs_share_a_session(standin: StandIn, tmp_path: Path) -> None:
    kept, waits = KeptSessions(tmp_path / "remote", make_ring(), random.Random(1)), TruePauses()
    async with (
        client_on(standin, waits=waits, kept=kept) as one,
        client_on(standin, waits=waits, kept=kept, signed_in=False) as other,
    ):
        assert await other.resume("alice")
        for _ in range(2):
            standin.clock.advance(minutes=20)
            names = await asyncio.gather(one.account(), other.account(), one.account(), other.account())
            assert {account.name for account in names} == {"alice"}


async def test_an_ended_session_is_told(standin: StandIn) -> None:
    async with client_on(standin) as client:
        for session in standin.world.sessions.values():
            session.is_ended = True
        standin.world.cookies.clear()
        with pytest.raises(SessionEnded):
            await client.account()


async def test_a_save_keeps_sidebar_language_and_billing_preference(standin: StandIn) -> None:
    async with client_on(standin) as client:
        await client.settings.save_sidebar(frozenset({"wallet"}), await client.settings.read())
        await client.settings.save_language("fr")
        standin.alice.store(standin.alice.stored() | {"billing_preference": "wallet_first"})
        seen = await client.settings.read()
        found = await client.settings.save_notifications(MAIL, seen)
        assert found.form == MAIL
        assert (found.hidden_modules, found.language, found.billing_preference) == (
            frozenset({"wallet"}),
            "fr",
            "wallet_first",
        )
        assert standin.alice.stored()["quota_warning_threshold"] == 750_000
        with pytest.raises(ChangedOnServer):
            await client.settings.save_notifications(NotificationForm(Channel.EMAIL, 1), seen)


async def test_a_lost_answer_to_a_save_is_made_good(standin: StandIn) -> None:
    waits = Waits()
    async with client_on(standin, waits=waits) as client:
        await client.settings.save_language("fr")
        seen = await client.settings.read()
        standin.faults.drop_answer(SETTING, times=2, method="PUT")
        standin.faults.too_many(SELF, times=2, method="PUT")
        found = await client.settings.save_notifications(MAIL, seen)
    assert (found.form, found.language) == (MAIL, "fr")
    assert len(waits.told) == 4


async def test_the_server_is_waited_for_while_it_restarts(standin: StandIn) -> None:
    waits = Waits()
    async with client_on(standin, waits=waits) as client:
        standin.faults.drop(SELF, times=3)
        assert (await client.account()).name == "alice"
    assert len(waits.told) == 3


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [("html", AnswerUnreadable), ("sql_error", ServerFailed), ("empty", ServerFailed), ("oversized", AnswerUnreadable),
     ("broken_json", GatekeyError)],
)  # fmt: skip
async def test_a_rotten_answer_is_told_in_our_words(standin: StandIn, trouble: str, kind: type[GatekeyError]) -> None:
    async with client_on(standin) as client:
        getattr(standin.faults, trouble)(SELF)
        with pytest.raises(kind) as caught:
            await client.account()
        assert "SQL" not in str(caught.value)
        assert (await client.account()).name == "alice", "the session goes on"


async def test_a_login_page_in_front_is_no_new_api(standin: StandIn) -> None:
    async with client_on(standin, signed_in=False) as client:
        standin.faults.html("/api/status")
        with pytest.raises(NotANewApi, match="login page"):
            await client.facts()


async def test_a_captcha_is_told_before_the_password_is_sent(standin: StandIn) -> None:
    standin.world.status["turnstile_check"] = True
    async with client_on(standin, signed_in=False) as client:
        with pytest.raises(BrowserNeeded):
            await client.sign_in("alice", PASSWORD)


async def test_a_system_access_token_is_made_used_and_dead_once_another_is_made(standin: StandIn) -> None:
    async with client_on(standin) as client:
        first = (await client.access_tokens.rotate()).token
        async with client_on(standin, signed_in=False) as by_token:
            await by_token.sign_in_with_token(first, "2")
            assert (await by_token.account()).name == "alice"
            second = (await by_token.access_tokens.rotate()).token
            assert second != first
            assert (await by_token.account()).name == "alice"
            await by_token.settings.save_privacy(record_client_ip=True, seen=await by_token.settings.read())
            await client.access_tokens.rotate()
            with pytest.raises(SessionEnded):
                await by_token.account()
        async with client_on(standin, signed_in=False) as late:
            with pytest.raises(InvalidToken):
                await late.sign_in_with_token(first, "2")


async def test_no_save_and_no_read_makes_a_new_token(standin: StandIn) -> None:
    async with client_on(standin) as client:
        token = (await client.access_tokens.rotate()).token
        await client.settings.save_notifications(MAIL, await client.settings.read())
        await client.two_factor.state()
        await client.account()
    assert standin.alice.access_token == token


async def test_a_password_is_changed(standin: StandIn) -> None:
    async with client_on(standin) as client, client_on(standin) as other:
        with pytest.raises(WrongOriginalPassword):
            await client.passwords.change("wrong-one", "N3w-pass-word", "N3w-pass-word")
        await client.passwords.change(PASSWORD, "N3w-pass-word", "N3w-pass-word")
        assert (await client.account()).name == "alice"
        if is_feb(standin):
            assert (await other.account()).name == "alice", "the older generation ends no session"
        else:
            with pytest.raises(SessionEnded):
                await other.account()


async def test_sessions_are_listed_and_ended_where_the_server_can(standin: StandIn) -> None:
    async with client_on(standin) as client, client_on(standin) as other:
        if is_feb(standin):
            with pytest.raises(NotOnThisServer, match="no list"):
                await client.login_sessions.all()
            return
        listed = await client.login_sessions.all()
        assert [one.is_current for one in listed] == [True, False]
        await client.login_sessions.end(listed[1].session_id)
        with pytest.raises(SessionEnded):
            await other.account()
        for unknown in ("nonsense", "../self"):
            with pytest.raises(NoSuchItem):
                await client.login_sessions.end(unknown)
        assert await client.login_sessions.end_others() == 0


async def test_two_factor_is_enrolled_used_at_sign_in_renewed_and_disabled(standin: StandIn) -> None:
    import pyotp

    async with client_on(standin) as client:
        enrolment = await client.two_factor.begin("New API", "alice")
        totp = pyotp.parse_uri(enrolment.uri)
        assert isinstance(totp, pyotp.TOTP)
        assert (totp.secret, totp.issuer, len(enrolment.codes)) == (enrolment.secret, "New API", 4)
        with pytest.raises(WrongCode):
            await client.two_factor.enable("000000")
        await client.two_factor.enable(totp.at(standin.clock.now()))
        state = await client.two_factor.state()
        assert (state.is_enabled, state.is_locked, state.codes_left) == (True, False, 4)
        async with client_on(standin, signed_in=False) as later:
            step = await later.sign_in("alice", PASSWORD)
            assert step is not None
            with pytest.raises(WrongCode):
                await later.enter_code(step, "000000")
            await later.enter_code(step, enrolment.codes[0].lower().replace("-", ""))
            assert (await later.two_factor.state()).codes_left == 3
        renewed = await client.two_factor.renew_codes(totp.at(standin.clock.now()))
        assert len(renewed) == 4
        assert not set(renewed) & set(enrolment.codes)
        await client.two_factor.disable(renewed[0])
        assert not (await client.two_factor.state()).is_enabled


async def test_an_account_is_closed(standin: StandIn) -> None:
    async with client_on(standin) as client:
        await client.delete_account()
        assert not client.is_signed_in
        with pytest.raises(WrongCredentials):
            await client.sign_in("alice", PASSWORD)


SAVES = [pytest.param(20, id="few"), pytest.param(1000, id="many", marks=pytest.mark.long)]


@pytest.mark.parametrize("saves", SAVES)
async def test_saves_over_a_noisy_connection_lose_nothing_of_another_tab(standin: StandIn, saves: int) -> None:
    rng = random.Random(5)
    async with client_on(standin) as client:
        token = (await client.access_tokens.rotate()).token
        await client.settings.save_language("fr")
        await client.settings.save_sidebar(frozenset({"wallet"}), await client.settings.read())
        for number in range(saves):
            trouble = rng.choice(("drop", "drop_answer", "too_many"))
            getattr(standin.faults, trouble)(rng.choice((SELF, SETTING)), times=rng.randrange(3))
            if rng.random() < 0.1:
                standin.restart()
            form = NotificationForm(Channel.EMAIL, 2 * (number + 1))
            found = await client.settings.save_notifications(form, await client.settings.read())
            assert (found.form, found.language, found.hidden_modules) == (form, "fr", frozenset({"wallet"}))
    assert standin.alice.access_token == token
