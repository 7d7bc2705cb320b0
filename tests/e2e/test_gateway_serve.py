"""`gatekey serve` as installed, with real sockets on both sides: its start, its stop, its log, and calls that break."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from store.money import MICRO_PER_USD
from store.sections import PrivacySettings
from store.store import Store
from store.values.billing import ModelPrice
from store.values.usage import Kind, LoggedEntry, UsageEntry
from tests.e2e.served_streams import Gate, events, wait_until_refused
from tests.fakes.model_answers import PROMPT_TOKENS, WORDS
from tests.fakes.model_server import ModelServer
from tests.harness.live_servers import live
from tests.harness.served_gateway import PATIENCE, Served, served
from tests.harness.stores import add_account, make_ring, make_store, sign_in, sqlite_url

MODEL: Final = "gpt-priced"
COST: Final = PROMPT_TOKENS + 2 * len(WORDS)
PROMPT: Final = "canary-in-a-prompt-4711"
CLIENT: Final = "203.0.113.77"
UPSTREAM_KEY: Final = "upstream-secret-0123456789"
_CHAT: Final[dict[str, Any]] = {
    "model": MODEL,
    "messages": [{"role": "user", "content": PROMPT}],
    "max_tokens": 50,
    "stream_options": {"include_usage": True},
}


@dataclass
class Setup:
    """A gateway in a process of its own, and the store it stands on, opened a second time."""

    store: Store
    models: ModelServer
    gateway: Served
    key: str
    token: str
    folder: Path
    headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.headers = {"Authorization": f"Bearer {self.key}"}

    def log(self) -> list[LoggedEntry]:
        return list(self.store.usage.page(sign_in(self.store)).entries)

    def wait_for_entry(self, request_id: str) -> UsageEntry:
        """The line of one request in the usage log, as soon as there is one."""
        deadline = time.monotonic() + PATIENCE
        while not (entries := [each.entry for each in self.log() if each.entry.request_id == request_id]):
            assert time.monotonic() < deadline, "nothing was logged"
            time.sleep(0.02)
        return entries[0]

    def end_of_log(self, path: str) -> int:
        """The length of the access log once it holds all earlier requests: an answer comes before its line.

        `path` is one that nothing else asks for.
        """
        assert httpx.get(f"{self.gateway.url}{path}", timeout=PATIENCE).status_code == 404
        return self._logged(lambda log: f"GET {path} 404" in log)

    def access_log(self, begun: int, requests: int) -> str:
        """The log from `begun` on, as soon as it has a line for each of so many requests."""
        end = self._logged(lambda log: lines_of_requests(log[begun:]) >= requests)
        return self.gateway.log.read_text()[begun:end]

    def _logged(self, condition: Callable[[str], bool]) -> int:
        """The length of the log, up to its last whole line, as soon as `condition` holds for that."""
        deadline = time.monotonic() + PATIENCE
        while not condition((log := self.gateway.log.read_text())[: (end := log.rfind("\n") + 1)]):
            assert time.monotonic() < deadline, log
            time.sleep(0.02)
        return end


def lines_of_requests(log: str) -> int:
    return len([line for line in log.splitlines() if "account=" in line])


@contextmanager
def running(folder: Path, models: ModelServer, **site: str) -> Iterator[Setup]:
    url = sqlite_url(folder)
    with make_store(url) as store, live(models.app) as upstream:
        add_account(store)
        store.pricing.set(ModelPrice(MODEL, MICRO_PER_USD, 2 * MICRO_PER_USD))
        values = {"upstream.base_url": f"{upstream}/v1", "upstream.api_key": UPSTREAM_KEY, **site}
        for name, value in values.items():
            store.site.set(name, value)
        session = sign_in(store)
        key, token = store.api_keys.create(session, "laptop").key, store.access_token.generate(session).token
        with served(folder, url, make_ring()) as gateway:
            yield Setup(store, models, gateway, key, token, folder)


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    """One for all tests that do not stop it: to start it takes longer than most of them."""
    site = {"gateway.trusted_proxies": "127.0.0.1/32"}
    with running(tmp_path_factory.mktemp("gateway"), ModelServer(), **site) as setup:
        yield setup


@dataclass(frozen=True)
class Halted:
    """A gateway that was told to stop in the midst of a stream that the model server holds back."""

    setup: Setup
    first: Any
    """The event that had come."""
    rest: Iterator[Any]
    gate: Gate

    def booked(self) -> UsageEntry:
        """The log entry of the call, once the gateway has stopped."""
        assert self.setup.gateway.process.wait(PATIENCE) == 0
        assert self.setup.gateway.log.read_text().endswith("Gatekey has stopped\n")
        assert self.setup.store.quota.state(sign_in(self.setup.store)).held_micro_usd == 0
        (logged,) = self.setup.log()
        return logged.entry


@contextmanager
def halted_in_a_stream(tmp_path: Path, number: signal.Signals = signal.SIGTERM) -> Iterator[Halted]:
    gate = Gate()
    with running(tmp_path, ModelServer(pause=gate.pause)) as setup:
        address = httpx.URL(setup.gateway.url)
        body = {**_CHAT, "stream": True}
        with httpx.stream(
            "POST", f"{setup.gateway.url}/v1/chat/completions", json=body, headers=setup.headers, timeout=PATIENCE
        ) as answer:
            stream = events(answer.iter_lines())
            first = next(stream)
            setup.gateway.process.send_signal(number)
            wait_until_refused(address.host, address.port or 0)
            assert setup.gateway.process.poll() is None
            yield Halted(setup, first, stream, gate)
        gate.open()


SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_stream_was_finished_after_the_signal_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    with halted_in_a_stream(tmp_path, number) as halted:
        halted.gate.open()
        said = [halted.first, *halted.rest]
        entry = halted.booked()
    assert said[-1] == "[DONE]"
    words = [each["choices"][0]["delta"].get("content", "") for each in said[:-1] if each["choices"]]
    assert "".join(words) == "".join(WORDS)
    assert (entry.status, entry.cost_micro_usd) == ("ok", COST)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_signal_cut_a_stream_off_and_booked_it(tmp_path: Path, number: signal.Signals) -> None:
    with halted_in_a_stream(tmp_path, number) as halted:
        halted.setup.gateway.process.send_signal(number)
        entry = halted.booked()
    assert (entry.status, entry.completion_tokens) == ("gateway_stopped", 1)
    assert entry.detail == "The gateway was stopped before the end; what had been sent was counted."
    assert entry.cost_micro_usd > 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_gateway_hears_a_signal_that_the_run_of_these_tests_ignores(tmp_path: Path, number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with make_store(sqlite_url(tmp_path)), served(tmp_path, sqlite_url(tmp_path), make_ring()) as gateway:
            assert signal.getsignal(number) is signal.SIG_IGN
            assert gateway.stop(number) == 0
    finally:
        signal.signal(number, before)


def test_a_stream_that_the_model_server_broke_off_was_charged_for_what_came(setup: Setup) -> None:
    async def break_off(number: int) -> None:
        if number == 3:
            raise ConnectionAbortedError

    before = setup.store.quota.state(sign_in(setup.store))
    setup.models.pause = break_off
    answer = httpx.post(
        f"{setup.gateway.url}/v1/chat/completions",
        json={**_CHAT, "stream": True},
        headers=setup.headers,
        timeout=PATIENCE,
    )
    setup.models.pause = None
    *said, last = events(iter(answer.text.splitlines()))
    assert [each["choices"][0]["delta"]["content"] for each in said] == list(WORDS[:3])
    assert last["error"]["code"] == "upstream_broken"
    entry = setup.wait_for_entry(answer.headers["x-request-id"])
    assert (entry.kind, entry.status, entry.completion_tokens) == (Kind.ERROR, "upstream_broken", 3)
    after = setup.store.quota.state(sign_in(setup.store))
    assert (after.held_micro_usd, after.used_micro_usd - before.used_micro_usd) == (0, entry.cost_micro_usd)
    assert entry.cost_micro_usd > 0


def test_health_followed_the_database(setup: Setup) -> None:
    url = f"{setup.gateway.url}/healthz"
    assert httpx.get(url, timeout=PATIENCE).json() == {"status": "ok"}
    assert httpx.head(url, timeout=PATIENCE).status_code == 200
    database = setup.folder / "private" / "gatekey.sqlite3"
    away = database.rename(setup.folder / "away")
    sick = httpx.get(url, timeout=PATIENCE)
    away.rename(database)
    assert (sick.status_code, sick.headers["retry-after"]) == (503, "1")
    assert "gatekey.sqlite3" not in sick.text
    assert httpx.get(url, timeout=PATIENCE).status_code == 200


def test_logs_and_files_held_addresses_by_the_switch_and_secrets_never(setup: Setup) -> None:
    for records in (False, True):  # in this order: what was written once stays
        session = sign_in(setup.store)
        version = setup.store.settings.load(session, PrivacySettings).version
        setup.store.settings.save(session, PrivacySettings(record_client_ip=records), version)
        begun = setup.end_of_log(f"/before-{records}")
        answers = ask_in_every_way(setup)
        assert [answer.status_code for answer in answers] == [200, 403, 200, 404, 401, 404]
        assert [logged.entry.client_ip for logged in setup.log()[:2]] == [CLIENT if records else None] * 2
        log = setup.access_log(begun, len(answers))
        said = "".join(answer.text + str(answer.headers) for answer in answers)
        files = b"".join(path.read_bytes() for path in (setup.folder / "private").iterdir())
        assert lines_of_requests(log) == len(answers)
        assert (CLIENT in log, CLIENT.encode() in files) == (records, records)
        for secret in (setup.key, setup.token, UPSTREAM_KEY, PROMPT):
            assert secret not in log
            assert secret not in said
            assert secret.encode() not in files
        print(f"BAR N1-N2-serve switch {'on' if records else 'off'}: {log.count(CLIENT)} addresses logged, 0 secrets")


def ask_in_every_way(setup: Setup) -> list[httpx.Response]:
    """With secrets where they belong and where they do not."""
    forwarded = {"X-Forwarded-For": CLIENT}
    with httpx.Client(base_url=setup.gateway.url, headers=forwarded, timeout=PATIENCE) as client:
        return [
            client.post("/v1/chat/completions", json=_CHAT, headers=setup.headers),
            client.post("/v1/chat/completions", json={**_CHAT, "model": "unpriced"}, headers=setup.headers),
            client.get("/api/account/usage", headers={"Authorization": f"Bearer {setup.token}"}),
            client.get(f"/v1/models/{setup.key}", headers=setup.headers),
            client.get(f"/api/account?access_token={setup.token}"),
            client.get(f"/{setup.token}"),
        ]
