"""A refusal of the relay in our words, by its code or its status."""

import json
from typing import Any

import httpx
import pytest

from remote.relay_errors import relay_error
from remote.transport import HttpAnswer
from store.errors import (
    AnswerUnreadable,
    GatekeyError,
    InvalidApiKey,
    ModelNotPriced,
    QuestionRefused,
    QuotaExceeded,
    ServerFailed,
    ServerRateLimited,
    SpendLimitReached,
    UpstreamFailed,
)

HOST = "api.example.com"
WORDS = "words of the server"


def refused(status: int, code: Any = "") -> HttpAnswer:
    body = json.dumps({"error": {"code": code, "message": WORDS, "type": "new_api_error"}}).encode()
    return HttpAnswer(status, httpx.Headers({"content-type": "application/json; charset=utf-8"}), body)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(500, "model_price_error"), ModelNotPriced),
        (refused(400, "model_price_error"), ModelNotPriced),
        (refused(503, "model_not_found"), QuestionRefused),
        (refused(403, "insufficient_user_quota"), QuotaExceeded),
        (refused(403, "pre_consume_token_quota_failed"), SpendLimitReached),
        (refused(503, "system_cpu_overloaded"), UpstreamFailed),
        (refused(401), InvalidApiKey),
        (refused(403), QuestionRefused),
        (refused(429, "rate"), ServerRateLimited),
        (HttpAnswer(429, httpx.Headers(), b""), ServerRateLimited),
        (refused(400, None), QuestionRefused),
        (refused(500, "boom"), UpstreamFailed),
    ],
)
def test_each_refusal_has_its_error_and_no_word_of_the_server(answer: HttpAnswer, kind: type[GatekeyError]) -> None:
    error = relay_error(answer, HOST, "a-model\x1b[2J")
    assert type(error) is kind
    assert WORDS not in str(error)
    assert "\x1b" not in str(error)


def test_an_unknown_code_is_named() -> None:
    assert "(status 500, boom)" in str(relay_error(refused(500, "boom"), HOST, "m"))


def test_what_is_no_answer_of_the_relay_is_said_to_be_none() -> None:
    elsewhere = HttpAnswer(302, httpx.Headers({"location": "https://evil.example/x"}), b"")
    with pytest.raises(AnswerUnreadable, match=r"https://evil\.example"):
        relay_error(elsewhere, HOST, "m")
    with pytest.raises(AnswerUnreadable, match="web page"):
        relay_error(HttpAnswer(200, httpx.Headers({"content-type": "text/html"}), b"<html>"), HOST, "m")
    with pytest.raises(ServerFailed):
        relay_error(HttpAnswer(502, httpx.Headers(), b""), HOST, "m")
