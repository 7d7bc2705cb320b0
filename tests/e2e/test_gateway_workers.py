"""`gatekey serve --workers`: one address, several processes, none of whose ends a client notices."""

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest
from sqlalchemy import text

from store.revisions import schema_revision
from store.store import Store
from store.values.api_keys import ApiKeyLimits
from tests.e2e.served_streams import Gate, events, wait_until_refused
from tests.fakes.model_answers import WORDS
from tests.fakes.model_server import ModelServer
from tests.harness.charged_calls import CHAT, COST, prepare_account
from tests.harness.live_servers import live
from tests.harness.processes import ProcessGroup, Worker
from tests.harness.served_gateway import PATIENCE, Served, served
from tests.harness.stores import make_ring, make_store, sign_in, sqlite_url

WORKERS: Final = 2
_SEATED: Final = re.compile(r"Worker (\d+) sends the notifications")


@dataclass(frozen=True)
class Setup:
    gateway: Served
    store: Store
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def chat(self) -> int:
        url = f"{self.gateway.url}/v1/chat/completions"
        return httpx.post(url, json=CHAT, headers=self.headers, timeout=PATIENCE).status_code

    def seated(self) -> list[int]:
        """The workers that took the seat, in their order."""
        return [int(each) for each in _SEATED.findall(self.gateway.log.read_text())]


@contextmanager
def running(folder: Path, models: ModelServer | None = None, *options: str) -> Iterator[Setup]:
    url = sqlite_url(folder)
    with live((models or ModelServer()).app) as upstream:
        key = prepare_account(url, upstream)
        with (
            make_store(url) as store,
            served(folder, url, make_ring(), options=["--workers", str(WORKERS), *options]) as gateway,
        ):
            yield Setup(gateway, store, key)


def until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"waited for ever until {what}"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def in_a_stream(setup: Setup, gate: Gate) -> Iterator[list[object]]:
    """Within a stream that the model server holds back; after it, all of its events."""
    said: list[object] = []
    body = {**CHAT, "stream": True}
    with httpx.stream(
        "POST", f"{setup.gateway.url}/v1/chat/completions", json=body, headers=setup.headers, timeout=PATIENCE
    ) as answer:
        stream = events(answer.iter_lines())
        said.append(next(stream))
        yield said
        gate.open()
        said += stream


def test_a_reload_loses_no_stream_and_leaves_only_new_workers(tmp_path: Path) -> None:
    gate = Gate()
    with running(tmp_path, ModelServer(pause=gate.pause)) as setup:
        before = setup.gateway.workers()
        assert len(before) == WORKERS
        with in_a_stream(setup, gate) as said:
            setup.gateway.process.send_signal(signal.SIGHUP)
            setup.gateway.wait_for("Reloaded")
            until(lambda: len(setup.gateway.workers()) == WORKERS + 1, "the idle old worker has ended")
            assert [setup.chat() for _ in range(4)] == [200] * 4
        assert said[-1] == "[DONE]"
        until(lambda: not set(before) & set(setup.gateway.workers()), "the old workers have ended")
        assert len(setup.gateway.workers()) == WORKERS
        until(lambda: setup.seated()[-1] not in before, "a new worker has the seat")
        # An old worker that has not read its word yet may have had the seat in between.
        (seated,) = set(setup.seated()) - set(before)
        assert seated in setup.gateway.workers()
        assert setup.seated()[0] in before
        statuses = [line.entry.status for line in setup.store.usage.page(sign_in(setup.store)).entries]
        assert statuses == ["ok"] * 5


def test_a_client_that_keeps_its_connection_loses_no_call_to_reloads(tmp_path: Path) -> None:
    with running(tmp_path) as setup:
        stop, statuses, refusals = threading.Event(), list[int](), list[str]()

        def keep_calling() -> None:
            url = f"{setup.gateway.url}/v1/chat/completions"
            with httpx.Client(headers=setup.headers, timeout=PATIENCE) as client:
                while not stop.is_set():
                    answer = client.post(url, json=CHAT)
                    statuses.append(answer.status_code)
                    if answer.is_error:
                        refusals.append(answer.text)

        callers = [threading.Thread(target=keep_calling) for _ in range(4)]
        for caller in callers:
            caller.start()
        for number in range(3):
            setup.gateway.process.send_signal(signal.SIGHUP)
            until(lambda: setup.gateway.log.read_text().count("Reloaded") == number + 1, "it is reloaded")  # noqa: B023
            enough = len(statuses) + 20
            until(lambda: len(statuses) >= enough, "calls are answered")  # noqa: B023
        stop.set()
        for caller in callers:
            caller.join(PATIENCE)
        assert refusals == []
        assert set(statuses) == {200}
        assert setup.store.quota.state(sign_in(setup.store)).used_micro_usd == COST * len(statuses)


def test_a_reload_that_fails_leaves_the_workers_before_it(tmp_path: Path) -> None:
    with running(tmp_path) as setup:
        before = setup.gateway.workers()
        with setup.store.database.write() as tx:
            tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        setup.gateway.process.send_signal(signal.SIGHUP)
        setup.gateway.wait_for("The reload failed")
        with setup.store.database.write() as tx:
            tx.execute(text("UPDATE alembic_version SET version_num = :now"), {"now": schema_revision()})
        assert setup.chat() == 200
        until(lambda: setup.gateway.workers() == before, "the new workers have ended")


def test_the_signal_to_stop_lets_streams_finish(tmp_path: Path) -> None:
    gate = Gate()
    with running(tmp_path, ModelServer(pause=gate.pause)) as setup:
        address = httpx.URL(setup.gateway.url)
        with in_a_stream(setup, gate) as said:
            setup.gateway.process.terminate()
            until(lambda: len(setup.gateway.workers()) == 1, "the idle worker has ended")
            assert setup.gateway.process.poll() is None
        assert said[-1] == "[DONE]"
        assert setup.gateway.process.wait(PATIENCE) == 0
        wait_until_refused(address.host, address.port or 0)
        assert setup.gateway.log.read_text().endswith("Gatekey has stopped\n")
        (line,) = setup.store.usage.page(sign_in(setup.store)).entries
        assert (line.entry.status, line.entry.completion_tokens) == ("ok", len(WORDS))


def test_a_worker_that_dies_is_replaced_and_so_is_its_seat(tmp_path: Path) -> None:
    with running(tmp_path) as setup:
        until(lambda: len(setup.seated()) == 1, "one worker has the seat")
        (seated,) = setup.seated()
        os.kill(seated, signal.SIGKILL)
        setup.gateway.wait_for(f"Worker {seated} died (signal 9)")
        until(lambda: len(setup.gateway.workers()) == WORKERS, "it is replaced")
        until(lambda: len(setup.seated()) == 2, "another one has the seat")
        assert setup.seated()[1] in setup.gateway.workers()
        assert [setup.chat() for _ in range(4)] == [200] * 4


def test_workers_without_a_supervisor_end(tmp_path: Path) -> None:
    with running(tmp_path) as setup:
        workers = setup.gateway.workers()
        setup.gateway.process.kill()
        until(lambda: not any(map(is_alive, workers)), "the workers have ended")


def test_a_figure_is_the_sum_of_all_workers(tmp_path: Path) -> None:
    with running(tmp_path, None, "--metrics-port", "0") as setup:
        found = re.search(r"The metrics are at (\S+)", setup.gateway.log.read_text())
        assert found is not None
        assert [setup.chat() for _ in range(12)] == [200] * 12
        os.kill(setup.gateway.workers()[0], signal.SIGKILL)
        setup.gateway.wait_for("died (signal 9)")
        figures = httpx.get(found[1], timeout=PATIENCE).text.splitlines()
    assert f'gatekey_charged_micro_usd_total{{model="{CHAT["model"]}"}} {COST * 12:.1f}' in figures
    assert "gatekey_holds_total 12.0" in figures
    assert "gatekey_calls_in_flight 0.0" in figures
    assert "gatekey_outbox_messages 0.0" in figures


def flood(worker: Worker, url: str, key: str, calls: int) -> list[int]:
    """The statuses of so many calls at the same moment from one process."""
    statuses: list[int] = []

    def call() -> None:
        headers = {"Authorization": f"Bearer {key}"}
        answer = httpx.get(f"{url}/v1/models", headers=headers, timeout=PATIENCE)
        statuses.append(answer.status_code)

    callers = [threading.Thread(target=call) for _ in range(calls)]
    worker.meet()
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(PATIENCE)
    return statuses


def test_a_limit_per_minute_of_a_key_holds_over_all_workers(processes: ProcessGroup, tmp_path: Path) -> None:
    """A key's own limit is claimed in the store: not one call more."""
    with running(tmp_path) as setup:
        session = sign_in(setup.store)
        key = setup.store.api_keys.create(session, "limited", ApiKeyLimits(requests_per_minute=10)).key
        statuses = [each for own in processes.run(flood, setup.gateway.url, key, 5) for each in own]
    # A minute may have ended meanwhile.
    assert statuses.count(200) in (10, 20)
    assert set(statuses) == {200, 429}


def test_a_gateway_that_cannot_start_says_so_once(tmp_path: Path) -> None:
    with running(tmp_path) as setup:
        port = str(httpx.URL(setup.gateway.url).port)
        with (
            pytest.raises(AssertionError, match="cannot listen"),
            served(tmp_path, sqlite_url(tmp_path), make_ring(), options=["--workers", "2", "--port", port]),
        ):
            pass
