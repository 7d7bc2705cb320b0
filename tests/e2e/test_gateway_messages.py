"""The Messages API on sockets, as coding agents call it: headers, streams, and a client that leaves."""

import json
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest

from store.values.usage import Kind
from tests.fakes.model_answers import PROMPT_TOKENS, WORDS
from tests.harness.gateway_client import MODEL
from tests.harness.sdk_gateway import PATIENCE, Setup

COST: Final = PROMPT_TOKENS + 2 * len(WORDS)
"""In micro-USD: one for a token in, two for a token out."""
ASKED: Final[dict[str, Any]] = {
    "model": MODEL,
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Say hello."}],
}


@pytest.fixture
def client(setup: Setup) -> Iterator[httpx.Client]:
    headers = {"X-Api-Key": setup.key, "anthropic-version": "2023-06-01"}
    with httpx.Client(base_url=setup.base_url, headers=headers, timeout=PATIENCE) as client:
        yield client


def events_of(response: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def test_a_message_and_a_count_were_answered_charged_and_logged(setup: Setup, client: httpx.Client) -> None:
    message = client.post("/v1/messages?beta=true", json=ASKED)
    assert message.json()["content"] == [{"type": "text", "text": "".join(WORDS)}]
    counted = client.post("/v1/messages/count_tokens", json={"model": MODEL, "messages": ASKED["messages"]})
    assert counted.json() == {"input_tokens": PROMPT_TOKENS}
    count, entry = setup.log()
    assert (entry.kind, entry.status, entry.cost_micro_usd) == (Kind.CONSUMPTION, "ok", COST)
    assert (count.kind, count.status, count.cost_micro_usd) == (Kind.CONSUMPTION, "ok", 0)
    assert entry.request_id == message.headers["request-id"]
    assert setup.spent() == COST
    assert setup.key not in str([asked.headers for asked in setup.models.asked])


@pytest.mark.parametrize("reports", [True, False])
def test_a_stream_was_passed_on_and_counted(setup: Setup, client: httpx.Client, *, reports: bool) -> None:
    setup.models.reports_usage = reports
    with client.stream("POST", "/v1/messages", json={**ASKED, "stream": True}) as response:
        kinds = [event["type"] for event in events_of(response)]
    assert (kinds[0], kinds[-1], kinds.count("content_block_delta")) == ("message_start", "message_stop", len(WORDS))
    (entry,) = setup.log()
    assert (entry.status, entry.completion_tokens) == ("ok", len(WORDS))
    assert (entry.prompt_tokens == PROMPT_TOKENS, "counted from the stream" in entry.detail) == (reports, not reports)


def test_a_client_that_left_was_charged_for_what_it_had(
    setup: Setup, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup.hang_after_three_words(monkeypatch)
    with client.stream("POST", "/v1/messages", json={**ASKED, "stream": True}) as response:
        deltas = (event for event in events_of(response) if event["type"] == "content_block_delta")
        for _ in range(3):
            next(deltas)
    client.close()
    entry = setup.entry()
    assert (entry.kind, entry.status) == (Kind.CONSUMPTION, "client_gone")
    assert (entry.prompt_tokens, entry.completion_tokens) == (PROMPT_TOKENS, 3)
    assert setup.spent() == entry.cost_micro_usd == PROMPT_TOKENS + 6
