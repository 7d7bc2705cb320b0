"""Typed input: kept in one form, or refused with the field's name."""

from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import EmailPolicy, default

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from store import inputs
from store.errors import (
    InvalidEmail,
    InvalidInput,
    InvalidLabel,
    InvalidModel,
    InvalidName,
    InvalidNumber,
    InvalidSetting,
    InvalidUrl,
)
from store.text import fold, is_sanitized

ANY = st.text(alphabet=st.characters(), max_size=80)
Check = Callable[[str], object]
UNFOLDED = EmailPolicy(max_line_length=None)

CASES: dict[str, tuple[Check, type[InvalidInput], dict[str, str], list[str]]] = {
    "name": (
        inputs.check_name,
        InvalidName,
        {
            "alice": "alice",
            "a": "a",
            "Alice.B_c-d@e+f": "Alice.B_c-d@e+f",
            "Jürgen": "Jürgen",
            "Ju\u0308rgen": "Jürgen",
            "日本": "日本",
            "हिन्दी": "हिन्दी",
            "x" * 64: "x" * 64,
        },
        ["", " ", "a b", "x" * 65, "a/b", "a\x00", "a\x1b", "a\u202e", "a\u200b", "a\nb", "<a>", "😀", "\ud800", "a:b"],
    ),
    "email": (
        inputs.check_email,
        InvalidEmail,
        {
            "a@b.example": "a@b.example",
            " a@b.example ": "a@b.example",
            "a.b+c'd@sub.example.com": "a.b+c'd@sub.example.com",
            "a@localhost": "a@localhost",
            "a@b.example.": "a@b.example",
            "alice@Bücher.Example": "alice@bücher.example",
            "alice@bücher.example.": "alice@bücher.example",
            "alice@例え.テスト": "alice@例え.テスト",
            "alice@xn--bcher-kva.example": "alice@xn--bcher-kva.example",
            "x" * 64 + "@e.example": "x" * 64 + "@e.example",
        },
        [
            "",
            "a",
            "a@",
            "@b",
            "a@b@c",
            "a b@c",
            "a@b c",
            ".a@b",
            "a.@b",
            "a..b@c",
            "a@-b.example",
            "a@b..example",
            "a@b.example..",
            "a@b_c.example",
            "a@.",
            "a@b,c@d",
            "a@b;c@d",
            "A <a@b.example>",
            '"a b"@c.example',
            "a@b.example\r\nBcc: c@d",
            "a@b.example\x00",
            "a@b.example\x1b",
            "ä@b.example",
            "ä@bücher.example",
            "a@ｅxample.com",
            "a@１２７.0.0.1",
            "a@b\u200bücher.example",
            "a@bücher.example\u202e",
            "a@-bücher.example",
            "a@" + "ü" * 64 + ".example",
            "group:a@b.example;",
            "x" * 65 + "@e.example",
            "a@" + "b" * 64 + ".example",
            "a@" + "b." * 126 + "example",
        ],
    ),
    "label": (
        inputs.check_label,
        InvalidLabel,
        {"x": "x", " My key ": "My key", "键": "键", "[/] bold": "[/] bold", "x" * 64: "x" * 64},
        ["", "   ", "x" * 65, "a\nb", "a\tb", "a\x07", "a\u2066", "\ud800", "\u3164"],
    ),
    "model": (
        inputs.check_model,
        InvalidModel,
        {"gpt-5": "gpt-5", "GPT-5": "GPT-5", "a/b:c@1": "a/b:c@1", "two words": "two words", "x" * 200: "x" * 200},
        ["", " ", " gpt-5", "gpt-5 ", "gpt\n5", "x" * 201, "gpt\u200b-5", "gpt\x1b", "\ud800"],
    ),
    "url": (
        lambda text: inputs.check_url(text, field="url"),
        InvalidUrl,
        {
            "https://example.com": "https://example.com",
            " http://example.com:8080/a?b=c ": "http://example.com:8080/a?b=c",
            "https://[::1]:8443/x": "https://[::1]:8443/x",
            "http://my_gotify:80/": "http://my_gotify:80/",
            "HTTPS://Example.COM/": "HTTPS://Example.COM/",
            "https://Bücher.example:8443/a?b=c": "https://xn--bcher-kva.example:8443/a?b=c",
            "https://例え.テスト": "https://xn--r8jz45g.xn--zckzah",
        },
        [
            "",
            "example.com",
            "//example.com",
            "ftp://example.com",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://",
            "https:///path",
            "https://user@example.com",
            "https://user:pw@example.com",
            "https://@example.com",
            "https://example.com#frag",
            "https://example.com#",
            "https://example.com\\@evil.example",
            "https://exa mple.com",
            "https://１２７.0.0.1",
            "https://ｅxample.com",
            "https://exämple.com/ä",
            "https://u@exämple.com",
            "https://exämple.com@evil.example",
            "https://exämple.com℀/x",
            "https://-exämple.com",
            "https://ex\u202eämple.com",
            "https://example.com:99999",
            "https://example.com:port",
            "https://[::1",
            "https://-x.example",
            "https://a..b",
            "https://x\x00y",
            "https://example.com/\u202e",
            "https://example.com/\ud800",
            "https://example.com/" + "x" * 2000,
            "\thttps://example.com",
        ],
    ),
    "origin": (
        inputs.check_origin,
        InvalidUrl,
        {
            "https://Example.com/": "https://example.com",
            "http://localhost:8787": "http://localhost:8787",
            "https://Bücher.example/": "https://xn--bcher-kva.example",
        },
        ["https://example.com/a", "https://example.com?a", "https://example.com?", "example.com", ""],
    ),
    "host": (
        inputs.check_host,
        ValueError,  # type: ignore[dict-item]  # its caller names the setting
        {"Mail.example": "mail.example", "10.0.0.1": "10.0.0.1", "bücher.example": "xn--bcher-kva.example"},
        ["", "host:80", "a b", "１２７.0.0.1", "u@host", "-ü.example"],
    ),
    "host and port": (
        inputs.check_host_port,
        ValueError,  # type: ignore[dict-item]  # its caller names the setting
        {
            "Host:80": "host:80",
            "10.0.0.1:1": "10.0.0.1:1",
            "[FD00::1]:65535": "[fd00::1]:65535",
            "bücher.example:80": "xn--bcher-kva.example:80",
        },
        ["", "host", "host:", ":80", "host:0", "host:65536", "u@host:80", "host:80/x", "[::1", "fd00::1:80", "host:+8"],
    ),
    "switch": (
        lambda text: inputs.check_switch(text, field="x"),
        InvalidSetting,
        {},
        ["", "1", "0", "y", "tru", "truee", "ｏｎ", "on\n"],
    ),
    "whole number": (
        lambda text: str(inputs.check_whole(text, 0, 10, field="x")),
        InvalidNumber,
        {"0": "0", " 10 ": "10", "007": "7"},
        ["", "-0", "+1", "11", "1.0", "1e1", "٣", "３", "0x1", "1_0", "9" * 10, "1\n", "\ud800"],
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_good_input_is_kept_in_one_form(kind: str) -> None:
    check, _, good, _ = CASES[kind]
    for typed, kept in good.items():
        assert check(typed) == kept
        assert check(kept) == kept


@pytest.mark.parametrize(
    ("kind", "typed"),
    [(kind, typed) for kind, (*_, bad) in CASES.items() for typed in bad],
    ids=lambda text: ascii(text[:24]),
)
def test_bad_input_is_refused(kind: str, typed: str) -> None:
    check, error, _, _ = CASES[kind]
    with pytest.raises(error) as caught:
        check(typed)
    if isinstance(caught.value, InvalidInput):
        assert type(caught.value) is error
        assert caught.value.field
        assert is_sanitized(str(caught.value))


@pytest.mark.parametrize("word", ["true", "ON", " yes "])
def test_a_word_for_on(word: str) -> None:
    assert inputs.check_switch(word, field="x") is True
    assert inputs.check_switch({"true": "false", "ON": "Off", " yes ": " no"}[word], field="x") is False


@given(ANY)
def test_a_name_is_plain_and_has_no_spaces(typed: str) -> None:
    try:
        name = inputs.check_name(typed)
    except InvalidName:
        return
    assert is_sanitized(name)
    assert not any(character.isspace() for character in name)
    assert inputs.check_name(name) == name
    assert fold(typed) == fold(name)
    assert "\ufffd" not in fold(name)


@example("0@A.")
@example("0" * 64 + "@a.example")
@given(st.one_of(ANY, st.emails(), st.from_regex(r"[a-z,;:<>\"\r\n@. ]{1,40}@[a-z,;:<>\r\n@. ]{1,20}")))
def test_an_address_is_one_recipient(typed: str) -> None:
    try:
        address = inputs.check_email(typed)
    except InvalidEmail:
        return
    message = EmailMessage()
    message["To"] = address
    assert [one.addr_spec for one in message["To"].addresses] == [address]
    assert message["To"].groups[0].display_name is None
    assert message.as_bytes(policy=UNFOLDED) == b"To: %s\n\n" % address.encode()
    # A long line may be folded (RFC 5322, 2.2.3), and says the same.
    received = message_from_bytes(message.as_bytes(), policy=default)
    assert received.keys() == ["To"]
    assert [one.addr_spec for one in received["To"].addresses] == [address]
    assert not received.defects


@given(ANY)
def test_no_text_breaks_a_check(typed: str) -> None:
    for check, error, _, _ in CASES.values():
        try:
            kept = check(typed)
        except (error, InvalidInput):
            continue
        assert kept is True or kept is False or is_sanitized(str(kept))


@given(st.integers(-20, 20))
def test_a_whole_number_lies_in_its_range(number: int) -> None:
    if 0 <= number <= 10:
        assert inputs.check_whole(str(number), 0, 10, field="x") == number
    else:
        with pytest.raises(InvalidNumber, match="from 0 to 10"):
            inputs.check_whole(str(number), 0, 10, field="x")


@pytest.mark.parametrize(
    ("text", "is_host"),
    [
        ("example.com", True),
        ("example.com.", True),
        ("localhost", True),
        ("10.0.0.1", True),
        ("::1", True),
        ("a" * 63, True),
        ("a" * 64, False),
        (("a" * 63 + ".") * 4 + "a", False),
        ("", False),
        (".", False),
        ("under_score", True),
        ("_dmarc.example.com", True),
        ("a_", True),
        ("-a", False),
        ("127.1", False),
        ("0x7f000001", False),
        ("exämple", False),
    ],
)
def test_a_host(text: str, is_host: bool) -> None:
    assert inputs.is_host(text) is is_host


def test_an_unknown_name_is_shown_safely() -> None:
    assert inputs.did_you_mean("prize", ["price"]) == "There is no setting called prize. Did you mean price?"
    assert inputs.did_you_mean("\x1b[2J", ["price"]) == "There is no setting called \ufffd[2J."
    assert len(inputs.did_you_mean("x" * 5000, [])) < 100
