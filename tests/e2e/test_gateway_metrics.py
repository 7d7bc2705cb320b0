"""`gatekey serve --metrics-port`: figures on a port of this machine alone, and none unless it is asked for."""

import re
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.fakes.model_answers import PROMPT_TOKENS, WORDS
from tests.fakes.model_server import ModelServer
from tests.harness.charged_calls import CHAT, COST, MODEL, prepare_account
from tests.harness.live_servers import live
from tests.harness.served_gateway import PATIENCE, served
from tests.harness.stores import make_ring, make_store, sqlite_url

_METRICS: Final = re.compile(r"The metrics are at (http://127\.0\.0\.1:\d+/metrics)")


@pytest.mark.parametrize("streams", [False, True])
def test_a_call_is_in_the_figures_that_prometheus_reads(tmp_path: Path, streams: bool) -> None:
    url = sqlite_url(tmp_path)
    with live(ModelServer().app) as upstream:
        headers = {"Authorization": f"Bearer {prepare_account(url, upstream)}"}
        with served(tmp_path, url, make_ring(), options=["--metrics-port", "0"]) as gateway:
            found = _METRICS.search(gateway.log.read_text())
            assert found is not None
            answer = httpx.post(
                f"{gateway.url}/v1/chat/completions",
                json={**CHAT, "stream": streams},
                headers=headers,
                timeout=PATIENCE,
            )
            assert answer.is_success
            assert httpx.get(f"{gateway.url}/metrics", timeout=PATIENCE).status_code == 404
            figures = httpx.get(found[1], timeout=PATIENCE).text.splitlines()
    assert f'gatekey_charged_micro_usd_total{{model="{MODEL}"}} {COST:.1f}' in figures
    assert f'gatekey_tokens_total{{direction="in",model="{MODEL}"}} {PROMPT_TOKENS:.1f}' in figures
    assert f'gatekey_tokens_total{{direction="out",model="{MODEL}"}} {len(WORDS):.1f}' in figures
    assert 'gatekey_requests_total{endpoint="/v1/chat/completions",status="2xx"} 1.0' in figures
    assert "gatekey_outbox_messages 0.0" in figures


def test_nothing_is_counted_unless_it_is_asked_for(tmp_path: Path) -> None:
    make_store(sqlite_url(tmp_path)).close()
    with served(tmp_path, sqlite_url(tmp_path), make_ring()) as gateway:
        assert "metrics" not in gateway.log.read_text()
        assert httpx.get(f"{gateway.url}/metrics", timeout=PATIENCE).status_code == 404
