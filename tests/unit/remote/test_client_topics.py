"""Keys, logs, the wallet, models, bindings and the passkey on servers of both generations."""

import dataclasses
from datetime import timedelta

import pytest

from remote.api_keys import KeyForm
from remote.usage import LogFilter, LogKind
from store.errors import (
    CodeRefused,
    IdentityRefused,
    NoSuchItem,
    StaleEdit,
    WrongCode,
)
from tests.harness.standin_clients import client_on, is_feb
from tests.new_api.running import StandIn

FORGE = {
    "id": 1,
    "name": "Forge",
    "slug": "forge",
    "enabled": True,
    "client_id": "cid",
    "authorization_endpoint": "https://forge.example/authorize",
    "scopes": "openid",
    "icon": "",
}


async def test_keys_are_made_edited_and_removed(standin: StandIn) -> None:
    now = standin.clock.now()
    form = KeyForm("laptop", now + timedelta(days=9), 2_000_000, ("gpt-5",), ("192.0.2.0/24", "192.0.2.9"))
    async with client_on(standin) as client:
        made, secret = await client.api_keys.create(form, now)
        assert secret.startswith("sk-")
        assert len(secret) == 51
        assert made.last_four == secret[-4:]
        assert (made.expires_at, made.remaining_micro_usd, made.models) == (form.expires_at, 2_000_000, ("gpt-5",))
        assert made.networks == form.networks
        found = await client.api_keys.edit(made, dataclasses.replace(form, name="desk"), now)
        assert found.name == "desk"
        with pytest.raises(StaleEdit):
            await client.api_keys.edit(made, form, now)
        assert not (await client.api_keys.set_enabled(made.id, enabled=False)).is_enabled
        assert await client.api_keys.reveal(made.id) == secret
        await client.api_keys.delete(made.id)
        assert await client.api_keys.all() == ()
        with pytest.raises(NoSuchItem):
            await client.api_keys.delete(made.id)


async def test_the_log_is_read_in_pages_with_filters(standin: StandIn) -> None:
    for number in range(7):
        facts = {"model_name": f"model-{number % 2}", "quota": 500, "prompt_tokens": 10, "completion_tokens": 5}
        standin.world.log(standin.alice, 2, "", token_name="laptop", **facts)
    async with client_on(standin) as client:
        page = await client.usage.page(LogFilter(LogKind.CONSUMPTION), page_size=5)
        assert (len(page.entries), page.total, page.has_next) == (5, 7, True)
        assert {entry.cost_micro_usd for entry in page.entries} == {1000}
        last = await client.usage.page(LogFilter(LogKind.CONSUMPTION), page.page + 1, page_size=5)
        assert (len(last.entries), last.has_next) == (2, False)
        few = await client.usage.page(LogFilter(model="model-1", key_name="laptop"))
        assert few.total == 3
        assert (await client.usage.totals(LogFilter())).cost_micro_usd == 7000
        now = standin.clock.now()
        assert await client.usage.statistics(now - timedelta(days=90), now) == ()
        assert (await client.task_logs.drawings()).entries == (await client.task_logs.tasks()).entries == ()


async def test_a_code_is_redeemed_once(standin: StandIn) -> None:
    standin.world.redemptions["70e515540b4c45f592160653cd76ea0a"] = 500_000
    async with client_on(standin) as client:
        assert await client.wallet.redeem("70e515540b4c45f592160653cd76ea0a") == 1_000_000
        assert (await client.account()).quota == 3_000_000
        with pytest.raises(CodeRefused):
            await client.wallet.redeem("70e515540b4c45f592160653cd76ea0a")
        assert (await client.wallet.top_ups()).entries == ()
        ways = await client.wallet.ways()
        assert (ways.takes_payments, ways.takes_codes) == (False, is_feb(standin))


async def test_models_and_prices_are_read(standin: StandIn) -> None:
    async with client_on(standin) as client:
        assert isinstance(await client.models.available(), tuple)
        assert isinstance(await client.models.prices("default"), tuple)


async def test_an_identity_is_bound_with_the_address_of_the_browser_and_unbound(standin: StandIn) -> None:
    standin.world.providers.append(FORGE)
    async with client_on(standin) as client:
        started = await client.bindings.begin("forge")
        landed = f"{standin.address}/oauth/forge?code=CODE&state={started.state}"
        with pytest.raises(IdentityRefused):
            await client.bindings.finish(started, landed.replace("CODE", "wrong"))
        started = await client.bindings.begin("forge")
        await client.bindings.finish(started, f"{standin.address}/oauth/forge?code=good&state={started.state}")
        (bound,) = await client.bindings.all(await client.account())
        assert (bound.name, bound.identity, bound.unbind_id) == ("Forge", "prov-1", 1)
        await client.bindings.unbind(1)
        (unbound,) = await client.bindings.all(await client.account())
        assert not unbound.is_bound


async def test_an_address_is_bound_by_a_code(standin: StandIn) -> None:
    async with client_on(standin) as client:
        standin.world.options["SMTPServer"] = "mail.example"
        with pytest.raises(WrongCode):
            await client.bindings.bind_email("alice@example.com", "000000")
        await client.bindings.send_email_code("alice@example.com")
        ((recipient, _, code),) = standin.world.mail
        assert recipient == "alice@example.com"
        await client.bindings.bind_email("alice@example.com", code)
        assert (await client.account()).email == "alice@example.com"


async def test_removing_a_passkey_that_is_not_there_is_no_failure(standin: StandIn) -> None:
    async with client_on(standin) as client:
        assert not (await client.passkeys.state()).is_registered
        await client.passkeys.remove()
        assert (await client.account()).name == "alice"
