"""Eight clients of several `gatekey serve` before one database: every call is charged, to the micro-dollar."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import Connection, func, select, update

from gateway.relay.admission import Admission
from gateway.relay.endpoints import ENDPOINTS
from gateway.relay.known_calls import KnownCalls
from gateway.relay.output_limits import LimitCompliance
from gateway.relay.request import parse_request
from gateway.site_view import SiteView
from store.call_credentials import ApiKeyCredential
from store.models import OutboxMessage, Quota, UsageDay, UsageEntryRow
from store.money import MICRO_PER_USD
from store.quota_warnings import QUOTA_WARNING
from store.shared_reads import SharedReads
from store.store import Store
from store.values.billing import ModelPrice, QuotaState
from tests.fakes.model_answers import PROMPT_TOKENS, WORDS
from tests.fakes.model_server import ModelServer
from tests.harness.live_servers import live
from tests.harness.processes import FULL, ProcessGroup, Worker
from tests.harness.served_gateway import several
from tests.harness.statement_events import listen_after
from tests.harness.stores import add_account, lift_request_rates, make_ring, make_store, sign_in

MODEL: Final = "gpt-priced"
CHAT: Final = PROMPT_TOKENS + 2 * len(WORDS)
"""In micro-USD: one for a token in, two for a token out."""
EMBEDDING: Final = PROMPT_TOKENS
MESSAGES: Final = [{"role": "user", "content": "Hello"}]
THRESHOLD: Final = MICRO_PER_USD


def call(worker: Worker, urls: list[str], key: str, times: int) -> Counter[str]:
    """Chats, streamed chats and embeddings in turn; returns how often each was answered, and how it was refused."""
    done: Counter[str] = Counter()
    url = urls[worker.number % len(urls)]
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{url}/v1", headers=headers, timeout=120) as client:
        worker.meet()
        for number in range(times):
            turn = (number + worker.number) % 3
            path = "/embeddings" if turn == 2 else "/chat/completions"
            body: dict[str, Any] = {"model": MODEL, "input": "Hello"} if turn == 2 else {"model": MODEL}
            if turn < 2:
                body |= {"messages": MESSAGES, "max_tokens": 10, "stream": turn == 1}
            answer = client.post(path, json=body)
            if answer.status_code != 200:
                done[f"{answer.status_code} {answer.json()['error']['code']}"] += 1
            elif turn == 1:
                done["streamed" if answer.text.endswith("data: [DONE]\n\n") else "cut off"] += 1
            else:
                assert json.loads(answer.content)["usage"]["prompt_tokens"] == PROMPT_TOKENS
                done["embedded" if turn == 2 else "answered"] += 1
    return done


def warnings_of(store: Store) -> int:
    with store.database.read() as tx:
        queued = select(func.count()).where(OutboxMessage.c.kind == QUOTA_WARNING)
        return tx.execute(queued).scalar_one()


@pytest.mark.parametrize("times", [10, pytest.param(200, marks=pytest.mark.long)])
def test_every_call_was_charged_once(
    processes: ProcessGroup, url: str, database_kind: str, tmp_path: Path, times: int
) -> None:
    total = sum(EMBEDDING if (n + worker) % 3 == 2 else CHAT for worker in range(FULL) for n in range(times))
    count = FULL * times
    with make_store(url) as store, live(ModelServer().app) as upstream:
        account = add_account(store)
        store.site.set("upstream.base_url", f"{upstream}/v1")
        lift_request_rates(store)
        store.pricing.set(ModelPrice(MODEL, MICRO_PER_USD, 2 * MICRO_PER_USD))
        key = store.api_keys.create(sign_in(store), "laptop").key
        with several(3 if database_kind == "postgresql" and times > 10 else 2, tmp_path, url, make_ring()) as gateways:
            urls = [gateway.url for gateway in gateways]
            for crossing in (1, 2):
                # In the middle of the race what is left falls below the threshold.
                quota = THRESHOLD + total // 2
                store.quota.adjust("alice", set_to=quota, actor="test")
                done: Counter[str] = sum(processes.run(call, urls, key, times), Counter())
                assert set(done) == {"answered", "streamed", "embedded"}, done
                assert done.total() == count
                with store.database.read() as tx:
                    state = store.quota.state_of(tx, account.id)
                    calls = tx.execute(select(func.sum(UsageDay.c.calls), func.sum(UsageDay.c.cost_micro_usd))).one()
                    rows = tx.execute(select(func.count(), func.sum(UsageEntryRow.c.cost_micro_usd))).one()
                    names = tx.execute(select(func.count(UsageEntryRow.c.request_id.distinct()))).scalar_one()
                assert state == QuotaState(quota - total, 0, crossing * total)
                assert tuple(calls) == tuple(rows) == (crossing * count, crossing * total)
                assert names == crossing * count
                assert warnings_of(store) == crossing
                with store.database.write() as tx:
                    # As if the pause between two warnings had passed.
                    tx.execute(update(Quota).values(warned_at=None))
        print(
            f"BAR R8-http-{database_kind} 2 x {FULL} x {times} calls over {len(urls)} processes: {2 * count} charged, "
            f"{2 * total} micro-USD exactly, {2 * count} rows, 2 warnings for 2 crossings"
        )


def test_a_call_locked_its_quota_before_its_key(store: Store) -> None:
    """On PostgreSQL two calls would wait for each other otherwise: one to hold, one to note that the key was used."""
    add_account(store)
    store.pricing.set(ModelPrice(MODEL, MICRO_PER_USD, 2 * MICRO_PER_USD))
    key = store.api_keys.create(sign_in(store), "laptop").key
    understood = parse_request(ENDPOINTS[0], "application/json", json.dumps({"model": MODEL}).encode())
    credential = ApiKeyCredential(store.api_keys, key)
    site = SiteView("", "", (), 0, 0, 0, 0)
    admission = Admission(store, credential, "", understood, site, LimitCompliance(), KnownCalls())
    with store.database.read() as tx:
        admission.read(SharedReads(tx))
    assert admission.known_holder.is_stale
    written: list[str] = []

    def listen(_connection: Connection, statement: str) -> None:
        written.extend(re.findall(r"^UPDATE (\w+)", statement))

    end = listen_after(store.database.engine, listen)
    with store.database.write() as tx:
        admission.hold(tx)
    end()
    assert written == ["quotas", "api_keys", "api_keys"]
