"""States in which all is as it should be."""

from store.sections import Channel, NotificationSettings
from tests.harness.console_steps import enable_two_factor, enrol
from tests.harness.consoles import Stage
from tests.harness.stores import sign_in, store_with_account
from tests.snapshots.conftest import Picture
from tests.snapshots.steps import focus


def test_the_lock_of_an_account_with_two_factors(picture: Picture) -> None:
    """Password or code, one of them is enough; nothing of the account can be read behind it."""
    store = store_with_account()

    async def steps(stage: Stage) -> None:
        enable_two_factor(stage.store)
        await stage.press("ctrl+l")

    picture(steps, store=store)


def test_a_test_message_that_arrived_and_one_that_did_not(picture: Picture) -> None:
    """Beside each channel stands when it was last tried, and what came of it; the line below says it in full."""
    store = store_with_account()
    token = sign_in(store)
    section = NotificationSettings(webhook_on=True, webhook_url="https://hooks.example.com/quota")
    store.settings.save(token, section, 1)
    for channel in (Channel.EMAIL, Channel.WEBHOOK):
        (job,) = store.outbox.lease(delivery_id=store.outbox.enqueue_test(token, channel))
        if channel is Channel.EMAIL:
            store.outbox.delivered(job)
        else:
            store.outbox.failed(job, "hooks.example.com refused the connection.", None)

    picture("3", focus("#send-test-webhook"), store=store)


def test_nothing_left_to_advise(picture: Picture) -> None:
    """Five of five: the list says how each is met, and offers nothing to do."""
    store = store_with_account()
    store.site.set("smtp.host", "mail.example.com")
    store.site.set("smtp.sender", "gatekey@example.com")

    picture("2", enrol, "r", store=store)
