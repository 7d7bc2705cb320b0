"""Bark and Gotify, with Apprise as a second opinion on what their servers expect."""

import asyncio
import base64
import json
import subprocess
import warnings
from collections.abc import Iterator

import pytest

from gateway.channels import bark, gotify
from gateway.channels.bark import BarkTarget
from gateway.channels.gotify import GotifyTarget
from gateway.channels.message import Message
from gateway.outbound import Outbound
from store.errors import DeliveryFailed
from tests.fakes.certificate_authority import Authority
from tests.fakes.receivers import HttpReceiver, LoopThread, Recorded, reply
from tests.harness.channels import DEVICE_KEY, GOTIFY_TOKEN, NOW, failing
from tests.harness.outbound import outbound
from tests.harness.stores import StillClock


@pytest.fixture
def receiver(loop_thread: LoopThread) -> Iterator[HttpReceiver]:
    with HttpReceiver(loop_thread, reply(body=b"{}")) as running:
        yield running


@pytest.fixture
def way(authority: Authority, receiver: HttpReceiver) -> Outbound:
    return outbound(authority, f"127.0.0.1:{receiver.port}")


def by_apprise(url: str, message: Message) -> None:
    """The same message, sent by somebody else's code."""
    with warnings.catch_warnings():
        # Its plugins are imported on first use, and one of them still needs imghdr.
        warnings.filterwarnings("ignore", "'imghdr' is deprecated", DeprecationWarning)
        import apprise

        service = apprise.Apprise()
        assert service.add(url)
        assert service.notify(title=message.title, body=message.text)


def shape(request: Recorded) -> tuple[str, str, str]:
    return request.method, request.target, request.headers["content-type"].partition(";")[0]


# -- Bark

KEY_OF_A_SERVER = "F5u42Bd3HyW8KxkUqo2gRA"


def test_bark_got_what_apprise_would_have_sent(receiver: HttpReceiver, way: Outbound, message: Message) -> None:
    target = BarkTarget(f"http://127.0.0.1:{receiver.port}/{DEVICE_KEY}")
    asyncio.run(bark.send(message, target, way, StillClock(NOW)))
    by_apprise(f"bark://127.0.0.1:{receiver.port}/{DEVICE_KEY}?image=no", message)
    ours, theirs = receiver.requests
    assert shape(ours) == shape(theirs) == ("POST", "/push", "application/json")
    assert json.loads(ours.body) == {
        "device_key": DEVICE_KEY,
        "title": message.title,
        "body": message.text,
        "id": message.id,
    }
    assert json.loads(theirs.body).items() <= json.loads(ours.body).items()
    assert DEVICE_KEY.encode() not in ours.head


@pytest.mark.parametrize(
    ("url", "endpoint", "device_key"),
    [
        ("https://api.day.app/abcd1234", "https://api.day.app/push", "abcd1234"),
        ("https://api.day.app./abcd1234", "https://api.day.app/push", "abcd1234"),
        ("https://api.day.app/abcd1234/", "https://api.day.app/push", "abcd1234"),
        ("https://lan.example/bark/abcd1234", "https://lan.example/bark/push", "abcd1234"),
        ("https://lan.example/a%2Fb/abcd1234", "https://lan.example/a%2Fb/push", "abcd1234"),
        ("https://api.day.app/F5u42Bd3HyW8KxkUqo2gRA/title/body?group=a", "https://api.day.app/push", KEY_OF_A_SERVER),
        ("https://lan.example/bark/F5u42Bd3HyW8KxkUqo2gRA/title", "https://lan.example/bark/push", KEY_OF_A_SERVER),
        ("https://api.day.app/abcd1234?", "https://api.day.app/push", "abcd1234"),
        ("http://[2001:db8::1]:8080/abcd1234", "http://[2001:db8::1]:8080/push", "abcd1234"),
    ],
)
def test_the_device_key_was_the_end_of_the_address(url: str, endpoint: str, device_key: str) -> None:
    address, found = bark.push_endpoint(url)
    assert (found, address.device_key) == (endpoint, device_key)


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost",
        "https://api.day.app/",
        "https://api.day.app//",
        "https://api.day.app/abc",
        "https://api.day.app/abcd1234/{{title}}",
        "https://api.day.app/abcd1234?sounds=bell",
        "https://api.day.app/abcd1234?level=loud",
        "https://api.day.app/abcd1234?sound=a&sound=b",
        "https://api.day.app/push",
        "https://api.day.app/%61bcd1234",
        "api.day.app/abcd1234",
    ],
)
def test_an_address_without_a_device_key_was_a_permanent_failure(
    authority: Authority, message: Message, url: str
) -> None:
    error = failing(bark.send(message, BarkTarget(url), outbound(authority), StillClock(NOW)))
    assert isinstance(error, DeliveryFailed)
    assert error.permanent


def test_bark_announces_a_push_as_the_address_says(receiver: HttpReceiver, way: Outbound, message: Message) -> None:
    query = "group=Money%20left&level=timeSensitive&sound=alarm"
    target = BarkTarget(f"http://127.0.0.1:{receiver.port}/{DEVICE_KEY}?{query}")
    asyncio.run(bark.send(message, target, way, StillClock(NOW)))
    (request,) = receiver.requests
    body = json.loads(request.body)
    assert (body["group"], body["level"], body["sound"]) == ("Money left", "timeSensitive", "alarm")
    assert request.target == "/push"


@pytest.mark.parametrize("key", ["k" * 16, "k" * 24, "0123456789abcdef" * 2])
def test_openssl_reads_what_bark_was_sent_encrypted(
    receiver: HttpReceiver, way: Outbound, message: Message, key: str
) -> None:
    url = f"http://127.0.0.1:{receiver.port}/{DEVICE_KEY}?sound=alarm"
    for _ in range(2):
        asyncio.run(bark.send(message, BarkTarget(url, key), way, StillClock(NOW)))
    first, second = (json.loads(request.body) for request in receiver.requests)
    assert set(first) == {"device_key", "id", "ciphertext", "iv"}
    assert first["iv"] != second["iv"]
    for body in (first, second):
        decrypted = subprocess.run(
            [
                "openssl",
                "enc",
                "-d",
                f"-aes-{len(key) * 8}-cbc",
                "-K",
                key.encode().hex(),
                "-iv",
                body["iv"].encode().hex(),
            ],
            input=base64.b64decode(body["ciphertext"]),
            capture_output=True,
            check=True,
        )
        assert json.loads(decrypted.stdout) == {"title": message.title, "body": message.text, "sound": "alarm"}
    assert key not in repr(BarkTarget(url, key))


def test_bark_says_to_check_the_device_key(receiver: HttpReceiver, way: Outbound, message: Message) -> None:
    receiver.respond = reply(400, body=b'{"code":400,"message":"failed to get device token"}')
    target = BarkTarget(f"http://127.0.0.1:{receiver.port}/{DEVICE_KEY}")
    assert "Check the device key" in str(failing(bark.send(message, target, way, StillClock(NOW))))


# -- Gotify


@pytest.mark.parametrize("base", ["", "/", "/gotify", "/gotify/"])
def test_gotify_got_what_apprise_would_have_sent(
    receiver: HttpReceiver, way: Outbound, message: Message, base: str
) -> None:
    target = GotifyTarget(f"http://127.0.0.1:{receiver.port}{base}", GOTIFY_TOKEN, 8)
    asyncio.run(gotify.send(message, target, way, StillClock(NOW)))
    path = base.strip("/") + "/" if base.strip("/") else ""
    by_apprise(f"gotify://127.0.0.1:{receiver.port}/{path}{GOTIFY_TOKEN}?priority=high", message)
    ours, theirs = receiver.requests
    assert shape(ours) == shape(theirs) == ("POST", f"/{path}message", "application/json")
    assert ours.headers["x-gotify-key"] == theirs.headers["x-gotify-key"] == GOTIFY_TOKEN
    assert json.loads(theirs.body).items() <= json.loads(ours.body).items()
    assert json.loads(ours.body) == {
        "title": message.title,
        "message": message.text,
        "priority": 8,
        "extras": {"gatekey::message": {"id": message.id}},
    }
    assert GOTIFY_TOKEN not in ours.target


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX-Evil: 1", "a\x00", "ä", "a" * 257])
def test_a_token_that_no_header_can_carry_sent_nothing(
    receiver: HttpReceiver, way: Outbound, message: Message, token: str
) -> None:
    target = GotifyTarget(f"http://127.0.0.1:{receiver.port}", token)
    error = failing(gotify.send(message, target, way, StillClock(NOW)))
    assert isinstance(error, DeliveryFailed)
    assert error.permanent
    assert receiver.connections == 0


@pytest.mark.parametrize("priority", [-1, 11])
def test_a_priority_out_of_range_sent_nothing(
    receiver: HttpReceiver, way: Outbound, message: Message, priority: int
) -> None:
    target = GotifyTarget(f"http://127.0.0.1:{receiver.port}", GOTIFY_TOKEN, priority)
    error = failing(gotify.send(message, target, way, StillClock(NOW)))
    assert isinstance(error, DeliveryFailed)
    assert error.permanent
    assert receiver.connections == 0


def test_the_targets_did_not_show_their_secrets() -> None:
    shown = repr(BarkTarget(f"https://api.day.app/{DEVICE_KEY}"))
    shown += repr(GotifyTarget("https://push.example/", GOTIFY_TOKEN, 3))
    assert shown == "BarkTarget('https://api.day.app/…')GotifyTarget('https://push.example/…', priority=3)"
