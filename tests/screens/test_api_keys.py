"""API Keys: what a new key is asked for, and what is said of it."""

import json
import shlex
from dataclasses import replace
from datetime import timedelta

import pytest
from textual.widgets import Input

from screens.modules.api_key_form import KeyForm
from screens.modules.api_key_use import UseKey
from screens.reauthenticate import Reauthenticate
from screens.settings.access_token import ApiKey
from store.errors import DatabaseBusy
from store.values.api_keys import ApiKeyInfo, ApiKeyLimits, LimitPeriod
from tests.harness.console_steps import open_module
from tests.harness.consoles import Stage, console
from tests.harness.stores import sign_in
from tui.widgets.field import Field


async def ask_for_one(stage: Stage, name: str, days: str, limit: str) -> None:
    await open_module(stage, "api-keys")
    await stage.press("n")
    for control, text in (("api-key-name", name), ("api-key-expiry", days), ("api-key-limit", limit)):
        await stage.fill(control, text)
    await stage.click("#create")


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [("a lot", "Enter dollars with up to two decimals"), ("0", "A spend limit is more than zero")],
)
async def test_every_error_of_a_new_key_is_shown_at_once_and_the_first_has_the_focus(
    limit: str, sentence: str, stage: Stage
) -> None:
    await ask_for_one(stage, "", "soon", limit)
    assert isinstance(stage.app.screen, KeyForm)
    wrong = {field.control.id for field in stage.app.screen.query(Field) if field.error}
    assert wrong == {"api-key-name", "api-key-expiry", "api-key-limit"}
    assert stage.says(sentence)
    assert stage.says("Enter 1 to 3650 days, or a date such as 2027-01-31.")
    assert stage.app.focused is stage.app.screen.query_one("#api-key-name")


async def test_an_error_of_a_new_key_goes_once_it_is_mended(stage: Stage) -> None:
    await ask_for_one(stage, "build", "soon", "0")
    await stage.fill("api-key-expiry", "30")
    await stage.click("#create")
    assert {field.control.id for field in stage.app.screen.query(Field) if field.error} == {"api-key-limit"}
    await stage.fill("api-key-limit", "")
    await stage.click("#create")
    assert stage.says("It is shown once")


async def open_keys(stage: Stage) -> None:
    await open_module(stage, "api-keys")


async def test_a_key_is_edited_with_all_its_limits_in_one_dialog(stage: Stage) -> None:
    token = sign_in(stage.store)
    stage.store.api_keys.create(token, "build", ApiKeyLimits(spend_limit_micro_usd=1_234_567))
    await open_keys(stage)
    await stage.press("enter")
    assert stage.says("Edit API key")
    for control, text in (
        ("api-key-name", "builder"),
        ("api-key-expiry", "30"),
        ("api-key-models", "gpt-5, gpt-5-mini"),
        ("api-key-networks", "10.0.0.0/24"),
        ("api-key-rate", "60"),
    ):
        await stage.fill(control, text)
    stage.app.screen.query_one("#api-key-period").focus()
    await stage.press("left", "enter")
    await stage.click("#save")
    assert stage.says("Saved: build.")
    (key,) = stage.store.api_keys.list(token)
    now = stage.clock.now()
    assert (key.name, key.limits) == (
        "builder",
        ApiKeyLimits(
            expires_at=now + timedelta(days=30),
            spend_limit_micro_usd=1_234_567,
            allowed_models=("gpt-5", "gpt-5-mini"),
            allowed_networks=("10.0.0.0/24",),
            requests_per_minute=60,
        ),
    )
    assert stage.says("Models gpt-5, gpt-5-mini")
    await stage.press("enter")
    stage.app.screen.query_one("#api-key-period").focus()
    await stage.press("right", "right")
    await stage.fill("api-key-models", "")
    await stage.click("#save")
    (after,) = stage.store.api_keys.list(token)
    assert after.limits == replace(key.limits, limit_period=LimitPeriod.WEEKLY, allowed_models=None)


async def test_a_looser_limit_asks_for_a_proof_and_a_stricter_one_does_not(stage: Stage) -> None:
    token = sign_in(stage.store)
    stage.store.api_keys.create(token, "build", ApiKeyLimits(requests_per_minute=60))
    stage.clock.advance(minutes=10)
    await open_keys(stage)
    await stage.press("enter")
    await stage.fill("api-key-rate", "30")
    await stage.click("#save")
    assert stage.store.api_keys.list(token)[0].limits.requests_per_minute == 30
    await stage.press("enter")
    await stage.fill("api-key-rate", "31")
    await stage.click("#save")
    assert isinstance(stage.app.screen, Reauthenticate)
    assert stage.says("allow the key more requests")
    await stage.press("escape")
    assert stage.store.api_keys.list(token)[0].limits.requests_per_minute == 30


async def test_a_period_without_a_limit_is_refused_at_its_field(stage: Stage) -> None:
    await open_keys(stage)
    await stage.press("n")
    await stage.fill("api-key-name", "build")
    stage.app.screen.query_one("#api-key-period").focus()
    await stage.press("right")
    await stage.click("#create")
    assert stage.says("Set a limit first.")
    assert stage.store.api_keys.list(sign_in(stage.store)) == []


async def test_errors_of_every_limit_stand_at_their_fields() -> None:
    async with console(size=(60, 20)) as stage:
        await open_keys(stage)
        await stage.press("n")
        for control, text in (
            ("api-key-name", "build"),
            ("api-key-models", "x" * 201),
            ("api-key-networks", "10.0.0.1/24"),
            ("api-key-rate", "many"),
        ):
            stage.app.screen.query_one(f"#{control}", Input).value = text
        await stage.click("#create")
        wrong = {field.control.id for field in stage.app.screen.query(Field) if field.error}
        assert wrong == {"api-key-models", "api-key-networks", "api-key-rate"}
        assert stage.app.focused is stage.app.screen.query_one("#api-key-models")


async def test_a_key_that_was_changed_elsewhere_is_not_overwritten(stage: Stage) -> None:
    token = sign_in(stage.store)
    made = stage.store.api_keys.create(token, "build")
    await open_keys(stage)
    await stage.press("enter")
    stage.store.api_keys.edit(token, made.info.id, "other", ApiKeyLimits())
    await stage.fill("api-key-name", "mine")
    await stage.click("#save")
    assert stage.says("was changed somewhere else since you opened it")
    await stage.press("escape")
    assert stage.says("other")


async def test_a_key_is_disabled_enabled_rotated_and_revoked(stage: Stage) -> None:
    token = sign_in(stage.store)
    made = stage.store.api_keys.create(token, "build")
    await open_keys(stage)
    await stage.press("d")
    assert stage.says("build is refused until you enable it.")
    assert stage.says("○ disabled")
    assert stage.says("0 usable of 1")
    await stage.press("d")
    assert stage.says("build works again.")
    await stage.press("o")
    await stage.enter("api-key-overlap", "8d")
    assert stage.says("at most 7 days")
    await stage.enter("api-key-overlap", "2h")
    assert isinstance(stage.app.screen, ApiKey)
    await stage.press("space", "escape")
    assert stage.says("The old key works for 2 hours more")
    (key,) = stage.store.api_keys.list(token)
    assert (key.id, key.last_four == made.info.last_four) == (made.info.id, False)
    stage.store.api_keys.authenticate(made.key)
    await stage.press("x", "y")
    assert stage.says("✗ revoked")
    await stage.press("enter")
    assert stage.says("A revoked key cannot be changed.")


async def test_revoked_keys_are_hidden_and_shown(stage: Stage) -> None:
    token = sign_in(stage.store)
    stage.store.api_keys.create(token, "kept")
    gone = stage.store.api_keys.create(token, "gone")
    stage.store.api_keys.revoke(token, gone.info.id)
    await open_keys(stage)
    assert "gone" in stage.text()
    await stage.press("h")
    assert stage.says("Revoked keys are hidden (1).")
    assert "gone" not in stage.text()
    stage.store.api_keys.revoke(token, stage.store.api_keys.list(token)[-1].id)
    await stage.press("f5")
    assert stage.says("Every key is revoked, and hidden.")
    await stage.press("h")
    assert "gone" in stage.text()


async def test_how_to_use_a_key_names_the_real_address_and_quotes_the_model(stage: Stage) -> None:
    token = sign_in(stage.store)
    stage.store.api_keys.create(token, "build", ApiKeyLimits(allowed_models=("it's $(date)",)))
    await open_keys(stage)
    await stage.press("y")
    assert isinstance(stage.app.screen, UseKey)
    assert stage.says("export OPENAI_BASE_URL=http://127.0.0.1:8787/v1")
    stage.store.site.set("public_url", "https://gateway.example.com")
    await stage.press("escape", "y")
    assert stage.says("export OPENAI_BASE_URL=https://gateway.example.com/v1")
    await stage.press("right")
    assert stage.says("curl https://gateway.example.com/v1/chat/completions")
    words = shlex.split(stage.app.screen.lines.replace("\\\n", " "))
    assert json.loads(words[-1])["model"] == "it's $(date)"
    await stage.press("right")
    compile(stage.app.screen.lines, "usage", "exec")
    assert '''model="it's $(date)"''' in stage.app.screen.lines


async def test_keys_that_cannot_be_read_say_so(stage: Stage) -> None:

    async def failing() -> list[ApiKeyInfo]:
        raise DatabaseBusy

    stage.app.account.api_keys = failing  # type: ignore[method-assign]
    await open_keys(stage)
    assert stage.says("The keys could not be read. F5 tries again.")
    assert stage.says(str(DatabaseBusy()))


async def test_a_long_list_keeps_the_page_in_place() -> None:
    async with console(size=(60, 20)) as stage:
        token = sign_in(stage.store)
        for number in range(30):
            stage.store.api_keys.create(token, f"key {number}")
        await open_keys(stage)
        await stage.press("end")
        assert stage.says("key 0")
        await stage.press("x")
        assert stage.says("key 0 (sk-")
