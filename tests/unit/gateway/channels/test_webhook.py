"""Webhooks after the Standard Webhooks specification, verified by its own library."""

import asyncio
import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from gateway.channels import webhook
from gateway.channels.message import Message
from gateway.channels.webhook import WebhookTarget
from store.errors import DeliveryFailed
from tests.fakes.certificate_authority import Authority
from tests.fakes.receivers import HttpReceiver, LoopThread, Recorded, reply
from tests.harness.channels import NOW, WEBHOOK_KEY, WEBHOOK_PATH, WEBHOOK_SECRET, failing
from tests.harness.outbound import outbound
from tests.harness.stores import StillClock


def deliver(
    loop_thread: LoopThread, authority: Authority, message: Message, secret: str, *moments: datetime
) -> list[Recorded]:
    """The requests of one message sent at each of these moments."""
    with HttpReceiver(loop_thread, tls=authority.serve("hooks.example")) as receiver:
        way = outbound(authority, f"hooks.example:{receiver.port}")
        target = WebhookTarget(f"https://hooks.example:{receiver.port}/{WEBHOOK_PATH}?a=b", secret)
        for moment in moments:
            asyncio.run(webhook.send(message, target, way, StillClock(moment)))
        return receiver.requests


def test_the_reference_library_verified_the_signature(
    loop_thread: LoopThread, authority: Authority, message: Message
) -> None:
    (request,) = deliver(loop_thread, authority, message, WEBHOOK_SECRET, datetime.now(UTC))
    verifier = standardwebhooks.Webhook(WEBHOOK_SECRET)
    assert verifier.verify(request.body, dict(request.headers)) == json.loads(request.body)
    for tampered in (request.body + b" ", request.body.replace(b"0.42", b"4.20")):
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            verifier.verify(tampered, dict(request.headers))
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        verifier.verify(request.body, dict(request.headers) | {"webhook-id": "evt_2"})


@pytest.mark.parametrize("seconds", [-310, 400])
def test_an_old_delivery_could_not_be_replayed(
    loop_thread: LoopThread, authority: Authority, message: Message, seconds: int
) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    (request,) = deliver(loop_thread, authority, message, WEBHOOK_SECRET, moment)
    with pytest.raises(standardwebhooks.WebhookVerificationError, match="timestamp too"):
        standardwebhooks.Webhook(WEBHOOK_SECRET).verify(request.body, dict(request.headers))


@given(st.binary(min_size=24, max_size=64), st.text(max_size=50))
def test_the_signature_was_that_of_the_reference_library(key: bytes, body: str) -> None:
    plain = body.encode("utf-8", "replace").decode()
    expected = standardwebhooks.Webhook(key).sign("evt_1", NOW, plain)
    assert webhook.signature(key, "evt_1", str(int(NOW.timestamp())), plain.encode()) == expected


def test_a_repetition_kept_its_id_and_had_a_new_time(
    loop_thread: LoopThread, authority: Authority, message: Message
) -> None:
    first, second = deliver(loop_thread, authority, message, WEBHOOK_SECRET, NOW, NOW + timedelta(hours=5))
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == message.id
    assert first.body == second.body
    assert int(first.headers["webhook-timestamp"]) == NOW.timestamp()
    assert int(second.headers["webhook-timestamp"]) == NOW.timestamp() + 5 * 3600
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_the_body_said_what_happened_and_when(loop_thread: LoopThread, authority: Authority, message: Message) -> None:
    east = message.at.astimezone(timezone(timedelta(hours=9)))
    (request,) = deliver(loop_thread, authority, replace(message, at=east), WEBHOOK_SECRET, NOW)
    assert request.headers["content-type"] == "application/json"
    assert request.target == f"/{WEBHOOK_PATH}?a=b"
    assert json.loads(request.body) == {
        "type": "quota.low",
        "timestamp": "2026-03-01T11:59:30Z",
        "data": {
            "title": "Quota below $1.00",
            "text": "Your remaining quota is $0.42,\nbelow the threshold of $1.00.",
            "remaining_usd": "0.42",
            "threshold_usd": "1.00",
        },
    }


def test_without_a_secret_nothing_was_signed(loop_thread: LoopThread, authority: Authority, message: Message) -> None:
    (request,) = deliver(loop_thread, authority, message, "", NOW)
    assert "webhook-signature" not in request.headers
    assert {"webhook-id", "webhook-timestamp"} <= set(request.headers)


@pytest.mark.parametrize(
    "secret",
    [
        "hunter2",
        "whsec_",
        "whsec_***",
        WEBHOOK_SECRET.removeprefix("whsec_"),
        WEBHOOK_SECRET + "\n",
        "whsec_" + base64.b64encode(b"k" * 23).decode(),
        "whsec_" + base64.b64encode(b"k" * 65).decode(),
        "whsec_äöü",
    ],
)
def test_a_secret_of_another_form_sent_nothing(
    loop_thread: LoopThread, authority: Authority, message: Message, secret: str
) -> None:
    with HttpReceiver(loop_thread) as receiver:
        way = outbound(authority, f"hooks.example:{receiver.port}")
        target = WebhookTarget(f"http://hooks.example:{receiver.port}/", secret)
        error = failing(webhook.send(message, target, way, StillClock(NOW)))
    assert isinstance(error, DeliveryFailed)
    assert error.permanent
    assert secret == "whsec_" or secret not in str(error)
    assert receiver.connections == 0


def test_no_secret_was_in_the_address_or_in_the_target_s_repr(
    loop_thread: LoopThread, authority: Authority, message: Message
) -> None:
    (request,) = deliver(loop_thread, authority, message, WEBHOOK_SECRET, NOW)
    assert WEBHOOK_KEY not in request.head
    assert WEBHOOK_SECRET.removeprefix("whsec_").encode() not in request.head + request.body
    target = WebhookTarget(f"https://hooks.example:8443/{WEBHOOK_PATH}", WEBHOOK_SECRET)
    assert repr(target) == "WebhookTarget('https://hooks.example:8443/…', signed)"
    assert repr(WebhookTarget("not an address")) == "WebhookTarget('…', unsigned)"


@pytest.mark.parametrize("url", ["", "ftp://hooks.example/", "https://u:p@hooks.example/", "hooks.example"])
def test_an_address_that_is_none_was_a_permanent_failure(authority: Authority, message: Message, url: str) -> None:
    error = failing(webhook.send(message, WebhookTarget(url), outbound(authority), StillClock(NOW)))
    assert isinstance(error, DeliveryFailed)
    assert error.permanent


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_was_success(loop_thread: LoopThread, authority: Authority, message: Message, status: int) -> None:
    with HttpReceiver(loop_thread, reply(status)) as receiver:
        way = outbound(authority, f"127.0.0.1:{receiver.port}")
        target = WebhookTarget(f"http://127.0.0.1:{receiver.port}/")
        asyncio.run(webhook.send(message, target, way, StillClock(NOW)))
    assert len(receiver.requests) == 1
