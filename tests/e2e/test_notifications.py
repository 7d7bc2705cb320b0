"""Notifications from end to end: the installed command, the console's Send test, and four real receivers."""

import ssl
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from functools import partial
from pathlib import Path
from threading import Event
from time import monotonic

import pytest
from sqlalchemy import update

from store.models import Delivery
from store.sections import Channel
from store.store import Store
from store.values.notifications import DeliveryState
from tests.e2e.installed import PATIENCE, Home
from tests.fakes.certificate_authority import Authority
from tests.fakes.receivers import LoopThread
from tests.harness.consoles import Stage, console
from tests.harness.notifications import (
    NotificationReceivers,
    add_person,
    latest,
    notification_receivers,
    spend,
    targets,
    use,
)
from tests.harness.stores import make_store
from tui.store_location import Options, open_account_store
from tui.widgets.section import Section

TRUSTED = "SSL_CERT_FILE"
"""The file in which OpenSSL looks for the system's authorities."""
ONE_EACH = dict.fromkeys(Channel, 1)


@pytest.fixture
def boxes() -> Iterator[NotificationReceivers]:
    with LoopThread() as loop_thread, notification_receivers(loop_thread, Authority()) as running:
        yield running


@pytest.fixture
def authority_file(boxes: NotificationReceivers, tmp_path: Path) -> Path:
    """The certificate that vouches for the mail server."""
    (certificate,) = boxes.authority.trust().get_ca_certs(binary_form=True)
    path = tmp_path / "authority.pem"
    path.write_text(ssl.DER_cert_to_PEM_cert(certificate))
    return path


class Trusting(Home):
    """A home on a system that trusts one more authority."""

    def __init__(self, folder: Path, authority_file: Path) -> None:
        super().__init__(folder)
        self._authority_file = authority_file

    @property
    def env(self) -> dict[str, str]:
        return {**super().env, TRUSTED: str(self._authority_file)}

    def open(self, *, create: bool = False) -> Store:
        """The store of the installed command."""
        return open_account_store(Options(), create=create, environ=self.env)


@pytest.fixture
def home(tmp_path: Path, authority_file: Path) -> Trusting:
    return Trusting(tmp_path, authority_file)


def warned_everywhere(home: Trusting, boxes: NotificationReceivers) -> int:
    """Alice, who chose every channel; returns her account."""
    with home.open(create=True) as store:
        use(store, boxes)
        return add_person(store, "alice", targets(boxes.origins, by_mail=True))


def counts(boxes: NotificationReceivers) -> dict[Channel, int]:
    return {channel: len(boxes.ids(channel)) for channel in Channel}


def test_notify_once_says_what_failed(home: Trusting, boxes: NotificationReceivers) -> None:
    alice = warned_everywhere(home, boxes)
    boxes.break_down()
    with home.open() as store:
        spend(store, alice)
    ran = home.run("notify", "--once")
    assert (ran.returncode, ran.stdout) == (1, "0\n")
    lines = ran.stderr.splitlines()
    assert sorted(line.partition(" ")[0] for line in lines) == sorted(Channel)
    assert all("quota:warning" in line and "The next try is at " in line for line in lines)
    assert "answered 503 Service Unavailable" in ran.stderr
    with home.open() as store, store.database.write() as tx:
        # The next tries are a minute away, which the second run may take on a busy machine.
        tx.execute(update(Delivery).values(next_attempt_at=store.context.now() + timedelta(hours=1)))
    ran = home.run("notify", "--once")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "0\n", "")


def test_notify_once_told_a_warning_everywhere_and_a_security_notice_by_mail(
    home: Trusting, boxes: NotificationReceivers
) -> None:
    alice = warned_everywhere(home, boxes)
    with home.open() as store:
        spend(store, alice)
    ran = home.run("notify", "--once")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "4\n", "")
    assert counts(boxes) == ONE_EACH
    assert len({message_id for channel in Channel for message_id in boxes.ids(channel)}) == 1
    reset = home.run("admin", "user", "reset-password", "alice", "--password-stdin", stdin="quiet harbour lantern sky")
    assert reset.returncode == 0, reset.stderr
    assert home.run("notify", "--once").stdout == "1\n"
    assert counts(boxes) == {**ONE_EACH, Channel.EMAIL: 2}
    warning, notice = (message_from_bytes(mail.content, policy=default) for mail in boxes.mail.mails)
    assert (warning["Subject"], notice["Subject"]) == ("Quota warning: $0.50 left", "Security notice for alice")
    assert [mail.recipients for mail in boxes.mail.mails] == [("alice@example.com",)] * 2


def test_serve_delivered_what_happened_while_it_ran(home: Trusting, boxes: NotificationReceivers) -> None:
    alice = warned_everywhere(home, boxes)
    with home.serving() as serving, home.open() as store:
        spend(store, alice)
        assert all_delivered(store, alice)
    assert counts(boxes) == ONE_EACH
    assert "Traceback" not in serving.log
    assert boxes.mail.password not in serving.log


def all_delivered(store: Store, account_id: int) -> bool:
    """Wait until every delivery of an account has succeeded."""
    end, tick = monotonic() + PATIENCE, Event()
    while {one.state for one in latest(store, account_id).values()} != {DeliveryState.DELIVERED}:
        if monotonic() > end:
            return False
        tick.wait(0.05)
    return True


# -- Send test --------------------------------------------------------------------------------------------------


def line(stage: Stage, channel: Channel) -> str:
    """The text in the edge of a channel's section."""
    return stage.app.screen.query_one(f"#{channel}-section", Section).state.plain


def has_arrived(stage: Stage, channel: Channel) -> bool:
    return line(stage, channel) == "sent just now ✓"


async def test_send_test_reached_every_receiver_and_its_result_stayed_visible(
    boxes: NotificationReceivers, authority_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TRUSTED, str(authority_file))
    store = make_store()
    use(store, boxes)
    add_person(store, "alice", targets(boxes.origins, by_mail=True))
    async with console(store, size=(120, 40), press="3") as stage:
        for channel in Channel:
            await stage.click(f"#send-test-{channel}")
            await stage.until(partial(has_arrived, stage, channel))
        assert counts(boxes) == ONE_EACH
        assert "This is a test message for alice." in boxes.web[Channel.BARK].requests[0].body.decode()
        boxes.break_down()
        await stage.click("#send-test-webhook")
        failed = "✗ 127.0.0.1 answered 503 Service Unavailable"
        await stage.until(lambda: line(stage, Channel.WEBHOOK) == failed)
    async with console(store, size=(120, 40), press="3") as stage:
        await stage.until(lambda: line(stage, Channel.WEBHOOK) == failed)
        assert line(stage, Channel.EMAIL) == "sent just now ✓"
    assert counts(boxes) == {**ONE_EACH, Channel.WEBHOOK: 2}
