"""The same console on a New API server: each tab shows what that server has, and says what it has not."""

from collections.abc import Iterator
from typing import Any

import pytest
from textual.widgets import Button, Input

from screens.navigation import Navigation
from screens.sign_in import SignIn
from tests.harness.console_steps import open_module
from tests.harness.consoles import Stage
from tests.harness.remote_consoles import remote_console
from tests.harness.standin_rows import add_call, add_drawing, add_error, add_task
from tests.new_api.api_keys import add_key
from tests.new_api.generations import Generation
from tests.new_api.logs import count_hours
from tests.new_api.running import PASSWORD, StandIn, running
from tui.widgets.dialog import Dialog
from tui.widgets.toggle import Toggle


@pytest.fixture
def served() -> Iterator[StandIn]:
    """A stand-in with a port: in memory an answer comes whole, however it was streamed."""
    with running(Generation.AUG) as found:
        yield found


def buttons(stage: Stage) -> set[str]:
    shown = stage.app.screen.query(Button).results()
    return {str(button.label) for button in shown if button.display and button.is_on_screen}


def badges(stage: Stage) -> dict[str, str]:
    return dict(stage.app.screen.query_one(Navigation).badges)


async def test_the_sign_in_names_the_server_and_refuses_a_wrong_password(standin: StandIn) -> None:
    async with remote_console(standin, signed_in=False) as stage:
        screen = stage.app.screen
        assert isinstance(screen, SignIn)
        assert standin.address in stage.text()
        assert "The name or the e-mail address of your account there." in stage.text()
        assert "gatekey admin" not in screen.purpose
        await stage.fill("username", "alice")
        await stage.fill("password", "Wr0ng-pass")
        await stage.click("#sign-in")
        assert stage.app.screen is screen
        await stage.fill("password", PASSWORD)
        await stage.click("#sign-in")
        await stage.until(lambda: not isinstance(stage.app.screen, SignIn))


async def test_the_frame_and_the_security_tab(standin: StandIn) -> None:
    async with remote_console(standin) as stage:
        assert stage.says("alice · $5.00 left")
        assert stage.says("2FA off")
        assert stage.says("This server has no console over SSH.")
        assert stage.says("This server keeps no list of what was done to an account.")
        assert stage.says("This server hands out no file with your data.")
        is_feb = standin.world.generation is Generation.FEB
        assert stage.says("This server keeps no list of sessions.") is is_feb
        assert ("Show" in buttons(stage)) is not is_feb
        assert "Revoke" not in buttons(stage)


async def test_a_token_is_made_only_after_the_question(standin: StandIn) -> None:
    async with remote_console(standin) as stage:
        before = standin.alice.access_token
        await stage.press("t")
        assert stage.says("If there is one already, it stops working at once")
        await stage.press("escape")
        assert standin.alice.access_token == before
        await stage.press("t")
        await stage.click("#yes")
        await stage.until(lambda: standin.alice.access_token != before)


async def test_a_save_of_the_price_tab_keeps_the_settings_of_the_others(standin: StandIn) -> None:
    async with remote_console(standin) as stage:
        before = (standin.alice.setting or {}) | {"language": "en", "billing_preference": "wallet_first"}
        standin.alice.setting = before
        await stage.press("4")
        assert stage.says("This server does not tell which models without a price you called.")
        stage.app.screen.query_one("#accept-unpriced-models", Toggle).value = True
        await stage.settle()
        await stage.press("ctrl+s")
        assert stage.says("Saved."), stage.text()
        stored = standin.alice.setting or {}
        assert stored["accept_unset_model_ratio_model"] is True
        assert stored["language"] == "en"
        assert stored["billing_preference"] == "wallet_first"
        assert stored.get("sidebar_modules") == before.get("sidebar_modules")


async def test_one_channel_is_on_and_a_threshold_is_in_dollars(standin: StandIn) -> None:
    async with remote_console(standin) as stage:
        await stage.press("3")
        assert stage.says("This server warns on one channel at a time")
        screen = stage.app.screen
        screen.query_one("#channel-webhook", Toggle).value = True
        await stage.settle()
        assert not screen.query_one("#channel-email", Toggle).value
        screen.query_one("#webhook-url", Input).value = "https://hooks.example.com/a"
        screen.query_one("#quota-warning-threshold", Input).value = "2"
        await stage.settle()
        await stage.press("ctrl+s")
        assert stage.says("Saved."), stage.text()
        stored = standin.alice.setting or {}
        assert stored["notify_type"] == "webhook"
        assert stored["quota_warning_threshold"] == 1_000_000


async def test_a_deletion_says_what_the_server_keeps(standin: StandIn) -> None:
    async with remote_console(standin) as stage:
        await stage.press("x")
        assert stage.says("The server only closes the account")
        assert stage.app.screen.query_one(Dialog).title == "Delete Account"
        assert not any("Export" in label for label in buttons(stage))


async def test_the_modules(standin: StandIn) -> None:
    async with remote_console(standin) as stage:
        for module, sentence in (
            ("api-keys", "This server limits no requests per minute."),
            ("wallet", "This server keeps no ledger: it lists payments alone."),
            ("usage-logs", ""),
        ):
            await open_module(stage, module)
            if module == "api-keys":
                await stage.press("n")
                assert stage.says(sentence), stage.text()
                await stage.fill("api-key-name", "laptop")
                await stage.fill("api-key-limit", "3")
                await stage.click("#create")
                assert stage.says("API key"), stage.text()
                await stage.press("c", "escape")
                assert stage.says("laptop"), stage.text()
                assert stage.says("of $3.00"), stage.text()
            else:
                assert stage.says(sentence), stage.text()
                assert not stage.says("failed"), stage.text()


async def test_drawings_and_tasks_with_what_the_server_tells(standin: StandIn) -> None:
    add_drawing(standin, 1, at=1_790_000_000)
    add_drawing(standin, 2, at=1_790_000_001, status="FAILURE", fail_reason="the prompt is banned")
    add_task(standin, 7, at=1_790_000_002, status="IN_PROGRESS", progress="45%")
    async with remote_console(standin) as stage:
        await open_module(stage, "drawing-logs")
        for words in ("IMAGINE", "a cat", "● completed", "✗ failed", "0.100000", "9.0 s"):
            assert stage.says(words), stage.text()
        assert not stage.says("Images")
        await stage.press("slash", *"status:failed", "enter")
        assert stage.says("the prompt is banned")
        assert not stage.says("● completed")
        await stage.press("enter")
        assert stage.says("Submitted"), stage.text()
        assert not stage.says("Client IP")
        await stage.press("escape")
        await open_module(stage, "task-logs")
        for words in ("MUSIC", "task-7", "45 %", "▲ in_progress"):
            assert stage.says(words), stage.text()
        await stage.press("f1")
        assert stage.says("Type the action after model: to filter.")
    assert standin.unlike_recorded == []


async def test_overview_with_what_the_server_tells(standin: StandIn) -> None:
    add_key(standin.world, standin.alice, name="laptop", created_time=1, expired_time=-1, unlimited_quota=True)
    add_call(standin, 250_000, days_ago=3)
    add_call(standin, 50_000, model="large-model", key="desk")
    count_hours(standin.world)
    async with remote_console(standin) as stage:
        await open_module(stage, "overview")
        for words in ("$5.00", "$0.10", "$0.60", "stub-model", "large-model", "laptop", "all others", "none logged"):
            assert stage.says(words), stage.text()
        assert stage.says("This server logs errors only where its administrator has switched that on.")
        assert stage.says("The server does not tell what became of a message.")
        assert badges(stage) == {"api-keys": "1", "usage-logs": "", "wallet": "$5.00"}
        add_error(standin)
        await stage.press("d", "d")
        assert stage.says("boom-model")
        assert not stage.says("none logged"), stage.text()


async def test_the_badges_count_keys_that_work_and_the_errors_of_today(standin: StandIn) -> None:
    add_error(standin, days_ago=1)
    add_error(standin)
    add_error(standin)
    add_key(standin.world, standin.alice, name="off", status=2, unlimited_quota=True)
    async with remote_console(standin) as stage:
        assert badges(stage) == {"api-keys": "", "usage-logs": "2", "wallet": "$5.00"}


def key_that_pays(standin: StandIn) -> dict[str, Any]:
    return add_key(standin.world, standin.alice, name="laptop", expired_time=-1, unlimited_quota=True)


async def test_a_question_is_answered_and_its_cost_told(standin: StandIn) -> None:
    key_that_pays(standin)
    async with remote_console(standin) as stage:
        await open_module(stage, "playground")
        assert stage.says("laptop"), stage.text()
        assert stage.says("boom-model")
        await stage.press("escape", "m", *"stub", "enter")
        assert stage.says("$2.00 in"), stage.text()
        await stage.press(*"Hello?", "enter")
        await stage.until(lambda: stage.says("Hello from the stub."))
        await stage.until(lambda: stage.says("1,000 in · 500 out · $0.003"))
        assert standin.world.logs[-1]["token_name"] == "laptop"
        await stage.press(*"And again?", "enter")
        await stage.until(lambda: stage.text().count("Hello from the stub.") == 2)
    assert standin.unlike_recorded == []


async def test_esc_stops_an_answer_and_keeps_what_came(served: StandIn) -> None:
    key_that_pays(served)
    rest = served.faults.pause_stream("/v1/chat")
    async with remote_console(served) as stage:
        await open_module(stage, "playground")
        await stage.press("escape", "m", *"stub", "enter")
        # The answer goes on until Esc, so nothing settles.
        await stage.pilot.press(*"Hello?", "enter")
        await stage.until(lambda: stage.says("writing… esc stops"))
        await stage.pilot.press("escape")
        await stage.until(lambda: stage.says("You stopped the answer."))
        rest.set()
        assert stage.says("Hello")
        assert not stage.says("from the stub")


async def test_without_a_key_the_playground_says_who_pays(standin: StandIn) -> None:
    async with remote_console(standin) as stage:
        await open_module(stage, "playground")
        assert stage.says("no API key"), stage.text()
        await stage.press(*"Hello?", "enter")
        assert stage.says("A question is paid by one of your API keys"), stage.text()
        await stage.press("escape", "o")
        assert stage.says("This page makes no images on a server."), stage.text()
        assert not stage.says("Make an image")


async def test_a_model_without_a_price_is_listed_as_that(standin: StandIn) -> None:
    async with remote_console(standin) as stage:
        await open_module(stage, "wallet")
        await stage.press("p")
        (line,) = [line for line in stage.text().splitlines() if "free-model" in line]
        assert line.replace("│", " ").split() == ["free-model", "no", "price"], line
        assert stage.says("3 models, USD")
        assert stage.says(
            "The server names no price for 1 model. Calls of such models are refused, or charged up to $75.00 per "
            "million tokens where your Price settings accept models without a price."
        )
        assert "75.0" not in stage.text().replace("$75.00", "")


async def test_the_playground_says_what_a_model_without_a_price_costs_where_it_is_let_through(
    standin: StandIn,
) -> None:
    key_that_pays(standin)
    standin.alice.store(standin.alice.stored() | {"accept_unset_model_ratio_model": True})
    async with remote_console(standin) as stage:
        await open_module(stage, "playground")
        await stage.press("escape", "m", *"free")
        assert stage.says("free-model ▲ no price: $75.00 in · $75.00 out / million"), stage.text()
        await stage.press("enter")
        assert stage.says("▲ no price: $75.00 in"), stage.text()


async def test_a_refused_question_is_given_back(standin: StandIn) -> None:
    key_that_pays(standin)
    async with remote_console(standin) as stage:
        await open_module(stage, "playground")
        await stage.press("escape", "m", *"free", "enter")
        assert stage.says("no price, refused"), stage.text()
        await stage.press(*"Hello?", "enter")
        await stage.until(lambda: stage.says("Press p for the price settings."))
        assert stage.says("Hello?")
