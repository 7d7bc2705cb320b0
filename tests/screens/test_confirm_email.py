"""A notification address other than the account's own: the code that Send test sends, and where it is entered."""

from typing import Final

import pytest
from textual.widgets import Button

from gateway import dispatcher
from screens.settings.confirm_email import ConfirmEmail
from store.outbox import Job
from store.sections import NotificationSettings
from store.store import Store
from store.values.notifications import LastDelivery
from tests.harness.consoles import Stage, console
from tests.harness.stores import add_account, make_store
from tui.widgets.field import Field

PAGER: Final = "pager@example.com"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """Every message that was sent. It stands in for the mail server, which has tests of its own."""
    jobs: list[Job] = []

    async def deliver_now(store: Store, delivery_id: int) -> LastDelivery | None:
        (job,) = store.outbox.lease(delivery_id=delivery_id)
        jobs.append(job)
        store.outbox.delivered(job)
        return store.deliveries.find(delivery_id)

    monkeypatch.setattr(dispatcher, "deliver_now", deliver_now)
    return jobs


def with_pager() -> Store:
    """A store with the account `alice`, whose warnings shall go to another address."""
    store = make_store()
    account = add_account(store, "alice")
    store.settings.save_for(account.id, NotificationSettings(email_address=PAGER), 1, actor="test")
    return store


def email_note(stage: Stage) -> str:
    return stage.app.screen.query_one("#email-address").query_ancestor(Field).note.plain


def is_offered(stage: Stage) -> bool:
    return stage.app.screen.query_one("#enter-code", Button).display


async def test_send_test_asks_for_the_code_that_it_sent(sent: list[Job]) -> None:
    async with console(with_pager(), press="3") as stage:
        assert email_note(stage) == "Not confirmed: Send test sends a code. Until then: alice@example.com"
        await stage.click("#send-test-email")
        assert isinstance(stage.app.screen, ConfirmEmail)
        assert stage.says(PAGER)
        await stage.type("12345678")
        await stage.press("enter")
        assert stage.says("not the one that was sent")
        await stage.type(str(sent[0].payload["code"]))
        await stage.press("enter")
        assert stage.says("Confirmed. Warnings go to pager@example.com")
        assert not is_offered(stage)
        assert email_note(stage) == ""


async def test_a_code_may_be_entered_later(sent: list[Job]) -> None:
    async with console(with_pager(), press="3") as stage:
        assert not is_offered(stage)
        await stage.click("#send-test-email")
        await stage.press("enter")
        assert stage.says("Enter the code from the message")
        await stage.press("escape")
        assert is_offered(stage)
        await stage.click("#enter-code")
        await stage.type(str(sent[0].payload["code"]))
        await stage.click("#confirm")
        assert not is_offered(stage)


async def test_the_fourth_code_in_an_hour_is_refused(sent: list[Job]) -> None:
    async with console(with_pager(), press="3") as stage:
        for _ in range(3):
            await stage.click("#send-test-email")
            await stage.press("escape")
        await stage.click("#send-test-email")
        assert len(sent) == 3
        assert stage.says("Too many attempts")


async def test_the_accounts_own_address_needs_no_code(sent: list[Job]) -> None:
    async with console(press="3") as stage:
        assert not is_offered(stage)
        await stage.click("#send-test-email")
        assert not isinstance(stage.app.screen, ConfirmEmail)
        assert [job.kind for job in sent] == ["notification:test"]
