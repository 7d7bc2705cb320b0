"""An e-mail as text: one sender, one recipient, headers that cannot be broken out of."""

import email
import email.policy
from dataclasses import replace
from email.message import EmailMessage
from email.utils import getaddresses

import pytest
from hypothesis import given, settings

from gateway.channels.mail import compose, one_address
from gateway.channels.message import Message
from store import inputs
from store.errors import InvalidEmail
from tests.harness.channels import NOW
from tests.unit.gateway.channels.mail_inputs import ADDRESSES, HEADERS, HOSTILE


def read(mail: EmailMessage) -> EmailMessage:
    """The message as a receiver parses it."""
    parsed = email.message_from_bytes(mail.as_bytes(), policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("alice@example.com", "alice@example.com"),
        ("a.b+tag@mail.example.com", "a.b+tag@mail.example.com"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("root@localhost", "root@localhost"),
        ("alice@example.com.", "alice@example.com"),
        ("alice@bücher.example", "alice@xn--bcher-kva.example"),
        ("alice@bücher.example.", "alice@xn--bcher-kva.example"),
    ],
)
def test_one_address_was_taken(typed: str, address: str) -> None:
    assert one_address(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "alice",
        "@example.com",
        "alice@",
        "alice@@example.com",
        "a@b.example;c@d.example",
        "a@b.example,c@d.example",
        "a@b.example c@d.example",
        "Alice <alice@example.com>",
        "<alice@example.com>",
        "team:alice@example.com;",
        '"alice,bob"@example.com',
        "alice@[127.0.0.1]",
        "alice@exam ple.com",
        "alice@example.com\r\nBcc: bob@example.com",
        "alice@example.com\n",
        "alice\x00@example.com",
        "alice\x1b@example.com",
        ".alice@example.com",
        "alice.@example.com",
        "a..b@example.com",
        "älice@example.com",
        "alice@-example.com",
        "alice@example..com",
        "alice@example.com..",
        "alice@ex_ample.com",
        " alice@example.com",
        "alice@\N{FULLWIDTH COMMA}.example",
        f"{'a' * 65}@example.com",
        f"alice@{'a' * 64}.com",
        f"{'a' * 64}@{'b.' * 100}com",
    ],
)
def test_anything_else_was_refused(typed: str) -> None:
    with pytest.raises(InvalidEmail):
        one_address(typed)


def assert_one_or_refused(typed: str) -> None:
    """Whatever was typed, every parser sees one plain address, or nobody sees any."""
    try:
        address = one_address(typed)
    except InvalidEmail:
        return
    assert address.isascii()
    assert address.isprintable()
    assert getaddresses([address]) == [("", address)]
    assert one_address(address) == address


def assert_one_recipient(title: str, text: str) -> None:
    """Whatever the message says, the mail has our headers, one sender and one recipient."""
    message = Message("evt_1", "quota.low", title, text, NOW, {})
    mail = read(compose(message, "noreply@gateway.example", "alice@example.com"))
    assert set(mail.keys()) == HEADERS
    assert len(mail.keys()) == len(HEADERS)
    assert [address.addr_spec for address in mail["To"].addresses] == ["alice@example.com"]
    assert [address.addr_spec for address in mail["From"].addresses] == ["noreply@gateway.example"]
    assert not mail.defects


@given(ADDRESSES)
def test_a_taken_address_was_exactly_one_to_every_parser(typed: str) -> None:
    assert_one_or_refused(typed)


@given(HOSTILE, HOSTILE)
def test_no_text_added_a_header_or_a_recipient(title: str, text: str) -> None:
    assert_one_recipient(title, text)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None)
@given(ADDRESSES, HOSTILE)
def test_neither_address_nor_text_did_so_in_ten_thousand(typed: str, text: str) -> None:
    assert_one_or_refused(typed)
    assert_one_recipient(text, text)


def test_a_mail_told_the_same_in_plain_text_and_in_html(message: Message) -> None:
    hostile = replace(message, title="<script>1</script>", text="a < b & c\nsecond line")
    mail = read(compose(hostile, "noreply@gateway.example", "alice@example.com"))
    plain, html = mail.iter_parts()
    assert mail.get_content_type() == "multipart/alternative"
    assert plain.get_content().splitlines() == ["a < b & c", "second line"]
    assert "<h1>&lt;script&gt;1&lt;/script&gt;</h1>" in html.get_content()
    assert "a &lt; b &amp; c<br>\nsecond line" in html.get_content().replace("\r\n", "\n")


def test_a_repetition_was_recognisable(message: Message) -> None:
    first, second = (read(compose(message, "noreply@gateway.example", "alice@example.com")) for _ in range(2))
    assert first["Message-ID"] == second["Message-ID"] == "<evt_01HZX@gateway.example>"
    assert first["Date"].datetime == second["Date"].datetime == message.at.replace(microsecond=0)
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Subject"] == message.title


@pytest.mark.parametrize("typed", ["alice@bücher.example", "alice@Straße.example", "alice@例え.テスト"])
def test_what_could_be_saved_can_be_written_to(typed: str) -> None:
    saved = inputs.check_email(typed)
    assert one_address(saved).isascii()
    assert inputs.check_email(saved) == saved
