"""Sign-up on a New API server, where it is open: its rules are shown, and the new account is signed in to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.widgets import Button

from screens.console import Console
from screens.sign_in import SignIn
from screens.sign_up import SignUpForm
from tests.harness.consoles import Stage
from tests.harness.remote_consoles import remote_console
from tests.new_api.generations import Generation
from tests.new_api.running import StandIn, running

SIZE = (80, 24)
PASSWORD = "Zuf4ll-und-n0ch"


@asynccontextmanager
async def sign_up_form(standin: StandIn) -> AsyncIterator[Stage]:
    async with remote_console(standin, size=SIZE, signed_in=False) as stage:
        assert stage.says("Create account ^n"), stage.text()
        await stage.press("ctrl+n")
        assert isinstance(stage.app.screen, SignUpForm)
        yield stage


async def fill(stage: Stage, name: str, password: str, repeated: str | None = None) -> None:
    await stage.fill("username", name)
    await stage.fill("password", password)
    await stage.fill("confirmation", password if repeated is None else repeated)


async def test_an_account_is_created_and_signed_in_to(standin: StandIn) -> None:
    async with sign_up_form(standin) as stage:
        assert stage.says("8 to 20 characters, not easy to guess."), stage.text()
        assert not stage.app.screen.query("#code"), "the server asks for no address"
        await fill(stage, "bob", PASSWORD)
        assert stage.says("✓ matches")
        await stage.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, Console))
        assert stage.app.account.name == "bob"  # type: ignore[attr-defined]
        assert standin.world.account_named("bob") is not None


async def test_what_the_server_would_refuse_is_told_at_its_field(standin: StandIn) -> None:
    async with sign_up_form(standin) as stage:
        await stage.press("enter")
        assert stage.says("Enter the name you will sign in with.")
        await fill(stage, "bob", "Ab3-x", "Ab3-y")
        await stage.click("#create")
        assert stage.says("The two passwords do not match."), stage.text()
        await fill(stage, "bob", "Ab3-" * 6)
        await stage.click("#create")
        assert stage.says("at most 20 characters"), stage.text()
        await fill(stage, "b" * 21, PASSWORD)
        await stage.click("#create")
        assert stage.says("names of 1 to 20 characters"), stage.text()
        await fill(stage, "alice", PASSWORD)
        await stage.click("#create")
        assert stage.says("the name may be taken"), stage.text()
        assert len(standin.world.accounts) == 2
        await stage.press("escape")
        assert isinstance(stage.app.screen, SignIn)


async def test_where_the_server_wants_an_address_a_code_is_sent_there_first(standin: StandIn) -> None:
    standin.world.status["email_verification"] = True
    async with sign_up_form(standin) as stage:
        await fill(stage, "bob", PASSWORD)
        await stage.click("#create")
        assert stage.says("a code is sent to it"), stage.text()
        await stage.fill("email", "bob@example.org")
        await stage.press("enter")
        ((address, _, code),) = standin.world.mail
        assert stage.says(f"A code was sent to {address}."), stage.text()
        await stage.fill("code", code)
        await stage.click("#create")
        await stage.until(lambda: isinstance(stage.app.screen, Console))
        account = standin.world.account_named("bob")
        assert account is not None
        assert account.email == "bob@example.org"


async def test_where_a_captcha_stands_before_it_a_sentence_says_so(standin: StandIn) -> None:
    standin.world.status["turnstile_check"] = True
    async with remote_console(standin, size=SIZE, signed_in=False) as stage:
        assert stage.says("This server shows a captcha before it creates an account."), stage.text()
        assert not [button for button in stage.app.screen.query(Button) if "Create" in str(button.label)]
        await stage.press("ctrl+n")
        assert isinstance(stage.app.screen, SignIn)


async def test_where_it_is_closed_nothing_is_offered() -> None:
    with running(Generation.AUG) as standin:
        standin.world.status["register_enabled"] = False
        async with remote_console(standin, size=SIZE, signed_in=False) as stage:
            assert not stage.says("Create account")
            await stage.press("ctrl+n")
            assert isinstance(stage.app.screen, SignIn)
