"""Saves on a server that erases the rest with each one, loses answers, and has other consoles beside this one."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from remote.client import RemoteClient
from remote.kept_sessions import KeptSessions
from remote.sessions import CookieSession
from remote.setting_forms import NotificationForm, RemoteSettings, merged_with
from remote.settings import ChangedOnServer
from store.errors import (
    InvalidInput,
    SaveInterrupted,
    ServerFailed,
    ServerRefused,
    SessionEnded,
    StaleEdit,
)
from store.sections import Channel
from tests.harness.scripted_server import ADDRESS, Waits, client_of, raw, refusal
from tests.harness.settings_server import KEPT, SettingsServer
from tests.harness.stores import make_ring

SIDEBAR = '{"chat":{"enabled":true,"playground":false},"console":{"enabled":true,"own":7}}'
BEFORE: dict[str, Any] = {
    "notify_type": "gotify",
    "quota_warning_threshold": 500000,
    "gotify_url": "https://gotify.example.com",
    "gotify_token": "token-secret",
    "gotify_priority": 8,
    "accept_unset_model_ratio_model": True,
    "sidebar_modules": SIDEBAR,
    "language": "fr",
    "billing_preference": "wallet_first",
}
MAIL = NotificationForm(Channel.EMAIL, 1_000_000, notification_email="alice@example.com")


async def client_on(server: SettingsServer, kept: KeptSessions | None = None) -> RemoteClient:
    client = client_of(server, kept=kept)
    await client._keeper.open("alice", CookieSession(2, "cookie-secret"))
    return client


def server_with(**changed: Any) -> SettingsServer:
    return SettingsServer(stored=BEFORE | changed)


def rest(server: SettingsServer) -> dict[str, Any]:
    return {name: server.stored.get(name) for name in KEPT}


async def opened() -> tuple[SettingsServer, RemoteClient, RemoteSettings]:
    """The server with what is stored there before, a client of it, and its settings as that has read them."""
    server = server_with()
    client = await client_on(server)
    return server, client, await client.settings.read()


async def test_settings_are_read_as_a_form_in_dollars() -> None:
    found = await (await client_on(server_with())).settings.read()
    assert found.form == NotificationForm(
        Channel.GOTIFY,
        1_000_000,
        gotify_url="https://gotify.example.com",
        gotify_token="token-secret",
        gotify_priority=8,
    )
    assert (found.is_form_stored, found.accept_unpriced_models, found.record_client_ip) == (True, True, False)
    assert (found.hidden_modules, found.language, found.billing_preference) == (
        frozenset({"playground"}),
        "fr",
        "wallet_first",
    )
    assert "secret" not in repr(found)


@pytest.mark.parametrize("stored", [{}, {"gotify_priority": 0}, {"notify_type": "pigeon"}])
async def test_an_account_that_never_saved_has_the_servers_own_threshold(stored: dict[str, Any]) -> None:
    found = await (await client_on(SettingsServer(stored=stored))).settings.read()
    assert (found.is_form_stored, found.form.channel, found.form.threshold_micro_usd) == (False, Channel.EMAIL, 2000)


async def test_a_saved_form_leaves_everything_else_as_it_was() -> None:
    server, client, seen = await opened()
    found = await client.settings.save_notifications(MAIL, seen)
    assert rest(server) == {name: BEFORE[name] for name in KEPT}
    assert server.stored["accept_unset_model_ratio_model"] is True
    assert server.stored["notification_email"] == "alice@example.com"
    assert server.stored["quota_warning_threshold"] == 500000
    assert found.form == MAIL
    assert client._keeper.owed is None


@pytest.mark.parametrize("act", ["price", "privacy"])
async def test_a_switch_is_saved_with_the_form_and_the_rest_around_it(act: str) -> None:
    server, client, seen = await opened()
    if act == "price":
        assert not (await client.settings.save_price(accept_unpriced=False, seen=seen)).accept_unpriced_models
        expected = {name: value for name, value in BEFORE.items() if name != "accept_unset_model_ratio_model"}
    else:
        assert (await client.settings.save_privacy(record_client_ip=True, seen=seen)).record_client_ip
        expected = BEFORE | {"record_ip_log": True}
    assert server.stored == expected


async def test_a_switch_of_an_account_that_never_saved_keeps_the_servers_own_threshold() -> None:
    server = SettingsServer()
    client = await client_on(server)
    await client.settings.save_privacy(record_client_ip=True, seen=await client.settings.read())
    assert server.stored["quota_warning_threshold"] == 1000
    assert server.stored["record_ip_log"] is True


async def test_the_sidebar_is_saved_in_place_and_wipes_nothing() -> None:
    server = server_with()
    client = await client_on(server)
    found = await client.settings.save_sidebar(frozenset({"wallet"}), await client.settings.read())
    assert found.hidden_modules == {"wallet"}
    sidebar = json.loads(server.stored["sidebar_modules"])
    assert sidebar["console"] == {"enabled": True, "own": 7}
    assert sidebar["chat"]["playground"] is True
    assert "PUT /api/user/setting" not in server.seen
    assert {name: server.stored[name] for name in BEFORE if name != "sidebar_modules"} == {
        name: value for name, value in BEFORE.items() if name != "sidebar_modules"
    }


async def test_a_save_that_changes_nothing_writes_nothing() -> None:
    server, client, seen = await opened()
    await client.settings.save_notifications(seen.form, seen)
    await client.settings.save_price(accept_unpriced=True, seen=seen)
    await client.settings.save_sidebar(seen.hidden_modules, seen)
    assert server.bodies == []


@pytest.mark.parametrize("threshold", [0.5, 1e300, 500000])
async def test_a_threshold_that_the_person_did_not_change_stays_exactly_as_it_is(threshold: float) -> None:
    server = server_with(quota_warning_threshold=threshold)
    client = await client_on(server)
    seen = await client.settings.read()
    await client.settings.save_privacy(record_client_ip=True, seen=seen)
    assert server.stored["quota_warning_threshold"] == threshold
    form = merged_with(NotificationForm(Channel.EMAIL, seen.form.threshold_micro_usd), MAIL)
    if seen.form.threshold_micro_usd > 0:
        await client.settings.save_notifications(form, await client.settings.read())
        assert server.stored["quota_warning_threshold"] == threshold


@pytest.mark.parametrize(
    ("form", "field"),
    [
        (NotificationForm(Channel.EMAIL, 0), "threshold_micro_usd"),
        (NotificationForm(Channel.WEBHOOK, 1), "webhook_url"),
        (NotificationForm(Channel.BARK, 1), "bark_url"),
        (NotificationForm(Channel.GOTIFY, 1), "gotify_url"),
        (NotificationForm(Channel.GOTIFY, 1, gotify_url="https://x.example"), "gotify_token"),
    ],
)
async def test_what_the_server_would_refuse_is_told_by_its_field(form: NotificationForm, field: str) -> None:
    server = server_with()
    client = await client_on(server)
    with pytest.raises(InvalidInput) as caught:
        await client.settings.save_notifications(form, await client.settings.read())
    assert caught.value.field == field
    assert server.bodies == []


# -- two consoles ---------------------------------------------------------------------------------------------------


async def save(client: RemoteClient, act: str, seen: RemoteSettings) -> RemoteSettings:
    match act:
        case "form":
            return await client.settings.save_notifications(MAIL, seen)
        case "price":
            return await client.settings.save_price(accept_unpriced=False, seen=seen)
        case "privacy":
            return await client.settings.save_privacy(record_client_ip=True, seen=seen)
        case _:
            return await client.settings.save_sidebar(frozenset({"wallet"}), seen)


CHANGES: dict[str, dict[str, Any]] = {
    "form": {"gotify_priority": 2},
    "price": {"accept_unset_model_ratio_model": False},
    "privacy": {"record_ip_log": True},
    "sidebar": {"sidebar_modules": '{"personal":{"enabled":false}}'},
}


@pytest.mark.parametrize("act", CHANGES)
@pytest.mark.parametrize("other", CHANGES)
async def test_a_save_sees_what_another_console_saved_in_the_same_section_and_keeps_the_others(
    act: str, other: str
) -> None:
    server, client, seen = await opened()
    server.stored |= CHANGES[other]
    if act == other:
        with pytest.raises(StaleEdit) as caught:
            await save(client, act, seen)
        assert isinstance(caught.value, ChangedOnServer)
        assert caught.value.theirs == await client.settings.read()
        assert server.bodies == []
        await save(client, act, caught.value.theirs)
    else:
        await save(client, act, seen)
        now = await client.settings.read()
        if other == "sidebar":
            assert now.hidden_modules == {"wallet", "settings"}
        elif other == "form":
            assert now.form.gotify_priority == 2
        else:
            assert (now.accept_unpriced_models, now.record_client_ip) == {
                "price": (False, act == "privacy"),
                "privacy": (act != "price", True),
            }[other]


# -- interruptions ----------------------------------------------------------------------------------------------------


async def test_a_session_that_ends_in_the_middle_is_told_and_the_next_one_completes_the_save(tmp_path: Path) -> None:
    kept = KeptSessions(tmp_path / "remote", make_ring(), random.Random(1))
    server = server_with()
    client = await client_on(server, kept)
    seen = await client.settings.read()
    server.stop_after = 3  # the read of the save, the form, the sidebar
    with pytest.raises(SessionEnded, match="the language of its messages and the billing preference will be put back"):
        await client.settings.save_notifications(MAIL, seen)
    assert rest(server) == {"sidebar_modules": SIDEBAR, "language": None, "billing_preference": None}
    server.stop_after = None
    later = await client_on(server, kept)
    found = await later.settings.read()
    assert rest(server) == {name: BEFORE[name] for name in KEPT}
    assert (found.form, found.language) == (MAIL, "fr")
    assert kept.load(ADDRESS, "alice").owed is None  # type: ignore[union-attr]


async def test_what_somebody_set_anew_in_between_is_not_put_back() -> None:
    server, client, seen = await opened()
    server.stop_after = 2
    with pytest.raises(SessionEnded):
        await client.settings.save_notifications(MAIL, seen)
    server.stop_after = None
    server.stored["language"] = "ja"
    await client._keeper.open("alice", CookieSession(2, "cookie-secret-2"))
    assert (await client.settings.read()).language == "ja"
    assert rest(server) == {"sidebar_modules": SIDEBAR, "language": "ja", "billing_preference": "wallet_first"}


async def test_what_cannot_be_put_back_is_told_and_sent_with_the_next_save() -> None:
    server, client, seen = await opened()
    answer_of = server._answer
    server._answer = lambda route, request: (  # type: ignore[method-assign]
        refusal() if route == "PUT /api/subscription/self/preference" else answer_of(route, request)
    )
    with pytest.raises(SaveInterrupted, match="the server erased the billing preference"):
        await client.settings.save_notifications(MAIL, seen)
    again = await client.settings.read()
    assert (again.form, again.billing_preference) == (MAIL, ""), "reading goes on"
    with pytest.raises(SaveInterrupted, match="the server erased the billing preference"):
        await client.settings.save_price(accept_unpriced=False, seen=again)
    server._answer = answer_of  # type: ignore[method-assign]
    await client.settings.save_privacy(record_client_ip=True, seen=await client.settings.read())
    assert rest(server) == {name: BEFORE[name] for name in KEPT}


async def test_a_refused_form_owes_nothing() -> None:
    server, client, seen = await opened()
    answer_of = server._answer
    server._answer = lambda route, request: (  # type: ignore[method-assign]
        refusal() if route == "PUT /api/user/setting" else answer_of(route, request)
    )
    with pytest.raises(ServerRefused, match="kept the former ones"):
        await client.settings.save_notifications(MAIL, seen)
    assert server.stored == BEFORE
    assert client._keeper.owed is None


async def test_a_refused_form_leaves_what_an_earlier_save_owes() -> None:
    server, client, seen = await opened()
    answer_of, refused = server._answer, {"PUT /api/subscription/self/preference"}
    server._answer = lambda route, request: (  # type: ignore[method-assign]
        refusal() if route in refused else answer_of(route, request)
    )
    with pytest.raises(SaveInterrupted):
        await client.settings.save_notifications(MAIL, seen)
    refused.add("PUT /api/user/setting")
    with pytest.raises(ServerRefused, match="kept the former ones"):
        await client.settings.save_price(accept_unpriced=False, seen=await client.settings.read())
    refused.clear()
    await client.settings.read()
    assert rest(server) == {name: BEFORE[name] for name in KEPT}


async def test_a_billing_preference_that_the_server_has_no_route_for_is_left_alone() -> None:
    server, client, seen = await opened()
    answer_of = server._answer

    def without_route(route: str, request: Any) -> Any:
        if route == "PUT /api/subscription/self/preference":
            return raw(404, b'{"error":{"message":"x"}}', {"content-type": "application/json"})
        return answer_of(route, request)

    server._answer = without_route  # type: ignore[method-assign]
    await client.settings.save_notifications(MAIL, seen)
    assert client._keeper.owed is None


SAVES = [pytest.param(60, id="few"), pytest.param(1000, id="many", marks=pytest.mark.long)]


@pytest.mark.parametrize("saves", SAVES)
async def test_saves_over_a_noisy_server_lose_no_setting_of_another_tab(saves: int) -> None:
    """A third of all requests is dropped, refused, or answered by a proxy whose server restarts."""
    server = server_with()
    server.noise, server.rng = 0.33, random.Random(11)
    waits, rng = Waits(), random.Random(12)
    client = client_of(server, waits=waits)
    await client._keeper.open("alice", CookieSession(2, "cookie-secret"))
    expected = dict(BEFORE)
    failed = done = 0
    client._calls._exchanges._is_awaited = True
    while done < saves:
        act = rng.choice(["form", "price", "privacy", "sidebar"])
        flag = rng.random() < 0.5
        threshold = rng.randrange(1, 5_000_000) * 2
        try:
            seen = await client.settings.read()
            match act:
                case "form":
                    await client.settings.save_notifications(NotificationForm(Channel.EMAIL, threshold), seen)
                case "price":
                    await client.settings.save_price(accept_unpriced=flag, seen=seen)
                case "privacy":
                    await client.settings.save_privacy(record_client_ip=flag, seen=seen)
                case "sidebar":
                    await client.settings.save_sidebar(frozenset({"wallet"} if flag else ()), seen)
            done += 1
        except (ServerFailed, StaleEdit):
            failed += 1
            continue
        assert {name: server.stored.get(name) for name in ("language", "billing_preference")} == {
            "language": "fr",
            "billing_preference": "wallet_first",
        }
        if act == "form":
            assert server.stored["quota_warning_threshold"] == threshold // 2
        expected["sidebar"] = server.stored["sidebar_modules"]
        assert json.loads(expected["sidebar"])["console"]["own"] == 7
    assert waits.told, "the server was noisy"
    assert failed < saves / 4
    assert "GET /api/user/token" not in server.seen
