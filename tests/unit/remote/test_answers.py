"""Answers of a New API server, and the sentences for whatever is none."""

import pytest

from remote.answers import cookies_of, read_envelope, retry_after_s
from remote.transport import HttpAnswer
from store.errors import AnswerUnreadable, GatekeyError, NotOnThisServer, ServerFailed
from store.text import is_sanitized
from tests.harness.scripted_server import raw

HOST = "api.example.com"
JSON = {"content-type": "application/json; charset=utf-8"}
SQL = b'{"success":false,"message":"constraint failed: UNIQUE constraint failed: users.username (2067)"}'


def http(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> HttpAnswer:
    return HttpAnswer(status, raw(status, b"", headers).headers, body)


@pytest.mark.parametrize(
    ("status", "body", "is_accepted", "code"),
    [
        (200, b'{"success":true,"data":{"a":1}}', True, ""),
        (200, b'{"success":false,"message":"x"}', False, ""),
        (401, b'{"success":false,"code":"AUTH_SESSION_REVOKED"}', False, "AUTH_SESSION_REVOKED"),
        (403, b'{"success":true,"code":"X"}', False, "X"),
        (409, b'{"success":false,"code":"AUTH_SESSION_LIMIT"}', False, "AUTH_SESSION_LIMIT"),
        (200, b'{"message":"success","data":"x"}', True, ""),
        (200, b'{"message":"error","data":"x"}', False, ""),
        (400, b'{"message":"in other words"}', False, ""),
        (200, b'{"success":false,"code":7}', False, ""),
        (429, b"", False, ""),
    ],
)
def test_an_envelope_is_read(status: int, body: bytes, is_accepted: bool, code: str) -> None:
    found = read_envelope(http(status, body, JSON), HOST)
    assert (found.status, found.is_accepted, found.code) == (status, is_accepted, code)


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (http(200), ServerFailed, "answered with nothing"),
        (http(200, b" \n", JSON), ServerFailed, "answered with nothing"),
        (http(200, b"<!doctype html><form>", {"content-type": "text/html"}), AnswerUnreadable, "login page"),
        (http(401, b"<html>", {"content-type": "text/html"}), AnswerUnreadable, "login page"),
        (http(200, b'{"success":true}', {"content-type": "text/plain"}), AnswerUnreadable, "form"),
        (http(200, b"{", JSON), AnswerUnreadable, "not what it should be"),
        (http(200, b"[" * 100_000, JSON), AnswerUnreadable, "not what it should be"),
        (http(200, b'{"success":true,"data":NaN}', JSON), AnswerUnreadable, "not what it should be"),
        (http(200, b"[]", JSON), AnswerUnreadable, "form"),
        (http(200, b'{"success":"true"}', JSON), AnswerUnreadable, "form"),
        (
            http(302, b"", {"location": "https://other.example/x?token=1"}),
            AnswerUnreadable,
            "https://other.example. If",
        ),
        (http(301, b"", {"location": "/login"}), AnswerUnreadable, "another place of its own"),
        (http(500, SQL, JSON), ServerFailed, "status 500"),
        (http(500, b'{"error":{"message":"x","type":"new_api_panic"}}', JSON), ServerFailed, "status 500"),
        (http(404, b'{"error":{"message":"x","code":""}}', JSON), NotOnThisServer, "does not offer"),
    ],
)
def test_what_is_no_envelope_is_explained(answer: HttpAnswer, kind: type[GatekeyError], words: str) -> None:
    with pytest.raises(GatekeyError, match=words) as caught:
        read_envelope(answer, HOST)
    assert type(caught.value) is kind
    assert "constraint" not in str(caught.value)
    assert is_sanitized(str(caught.value))


def test_an_answer_shows_none_of_what_it_holds() -> None:
    found = read_envelope(http(200, b'{"success":true,"data":"top-secret"}', JSON), HOST)
    assert found.data == "top-secret"
    assert "top-secret" not in repr(found)
    assert "top-secret" not in repr(http(200, b"top-secret", {"set-cookie": "session=top-secret"}))


@pytest.mark.parametrize(
    ("lines", "cookies"),
    [
        (["session=a; Path=/; HttpOnly"], {"session": "a"}),
        (["session=a; Path=/", "session=b; Path=/"], {"session": "b"}),
        (["session=a", "session=; Max-Age=0"], {}),
        (["session=a==; Path=/"], {"session": "a=="}),
        (["nonsense", "x=a b"], {}),
    ],
)
def test_cookies_are_read(lines: list[str], cookies: dict[str, str]) -> None:
    answer = HttpAnswer(200, raw(200, headers=[("set-cookie", line) for line in lines]).headers, b"")
    assert cookies_of(answer) == cookies


@pytest.mark.parametrize(
    ("text", "seconds"), [("7", 7.0), ("", None), ("soon", None), ("-1", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)]
)
def test_a_wait_that_is_asked_for_is_read(text: str, seconds: float | None) -> None:
    assert retry_after_s(http(429, b"", {"retry-after": text} if text else {})) == seconds
