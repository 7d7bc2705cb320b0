"""Calls of models take a way of their own to the relay. It leads past nothing that the others pass."""

import logging
import re
from typing import Any

import httpx
import pytest

from gateway.access_log import LOGGER
from store.store import Store
from store.tokens import API_KEY_PREFIX
from tests.fakes.scripted_model_server import CHAT, ModelServer
from tests.harness.gateway_client import client_of, make_relayed

PATH = "/v1/chat/completions"
LONG_WAY = "/v1/chat/completions/"
"""The same address, which is not one of the paths of the direct way."""


def shown(answer: httpx.Response) -> tuple[int, dict[str, str], Any]:
    """What two answers to the same request have in common."""
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, headers, re.sub("req_[0-9a-f]+", "", answer.text)


@pytest.mark.parametrize(
    "request_",
    [
        {"json": CHAT},
        {"json": {**CHAT, "stream": True}},
        {"json": {**CHAT, "model": "unknown"}},
        {"content": b"not JSON"},
        {"content": b"{}", "headers": {"Content-Length": str(33 * 1024 * 1024)}},
        {"json": CHAT, "headers": {"Authorization": "Bearer nonsense"}},
        {"json": CHAT, "headers": {"Authorization": f"Bearer {API_KEY_PREFIX}{'0' * 40}"}},
    ],
    ids=["chat", "stream", "unknown model", "no JSON", "too long", "malformed key", "unknown key"],
)
async def test_both_ways_answer_and_log_the_same(
    store: Store, caplog: pytest.LogCaptureFixture, request_: dict[str, Any]
) -> None:
    caplog.set_level(logging.INFO, LOGGER.name)
    key = make_relayed(store)
    async with client_of(store, token=key, upstream=ModelServer()) as client:
        answers = [shown(await client.post(path, **request_)) for path in (PATH, LONG_WAY)]
    assert answers[0] == answers[1]
    lines = [re.sub(r"\S+ms", "", record.getMessage()) for record in caplog.records if record.name == LOGGER.name]
    assert len(lines) == 2
    assert lines[1] == lines[0].replace(PATH, LONG_WAY), "the log tells the path as it was asked for"
    assert lines[0].startswith(f"POST {PATH} {answers[0][0]} ")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_another_method_at_such_a_path_is_told_which_one_there_is(store: Store, method: str) -> None:
    async with client_of(store, token=make_relayed(store), upstream=ModelServer()) as client:
        answer = await client.request(method, PATH)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
