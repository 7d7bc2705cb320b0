"""Everything at once on one account: nobody stops anybody else for good, and the books stay right.

On PostgreSQL two transactions that lock the same rows in different orders stop each other until the server kills
one; what its owner sees is `DatabaseBusy`. On SQLite a writer that never gets its turn sees the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import pytest
from sqlalchemy import func, insert, select

from store.audit_tags import Tag
from store.errors import GatekeyError, NoSuchItem, SessionEnded, StoreUnavailable
from store.models import Account, Binding, Passkey
from store.money import MICRO_PER_USD
from store.passkeys import StoredCredential
from store.sections import NotificationSettings, PrivacySettings
from store.store import Store
from store.throttle import FREE_FAILURES, Factor
from store.values.api_keys import ApiKeyLimits
from store.values.bindings import ProviderKind
from store.values.sections import SettingsConflict
from store.values.sign_in import SignedIn
from store.values.usage import Kind, UsageEntry
from tests.harness.people import plant_passkey
from tests.harness.processes import FULL, ProcessGroup, Worker, enter, source
from tests.harness.quota_calls import book_call, hold_quota
from tests.harness.ssh_keys import fingerprint, public_key
from tests.harness.stores import START, add_account

COST: Final = 1000
TOP_UP: Final = 7
CALL: Final = UsageEntry(Kind.CONSUMPTION, "model", client_ip="203.0.113.77")


@dataclass
class Person:
    """One process at work on the account all share, signing in again whenever another one signed it out."""

    store: Store
    worker: Worker
    account_id: int
    name: str
    token: str = ""
    signed_in: int = 0

    def sign_in(self) -> None:
        answer = self.store.bindings.sign_in("one", self.name, source=source(self.worker))
        assert isinstance(answer, SignedIn)
        self.token = answer.token

    def call(self) -> None:
        reservation = hold_quota(self.store, self.account_id, 2 * COST)
        book_call(self.store, reservation, COST, CALL)

    def call_by_key(self) -> None:
        """A call of the relay, as admission makes it: the hold, the claim of the request, the note of the use."""
        keys, key_id = self.store.api_keys, self._key()
        with self.store.database.write() as tx:
            holder = keys.holder_by_id(tx, self.account_id, key_id)
            reservation = self.store.quota.hold(tx, self.account_id, COST, api_key_id=key_id)
            keys.claim_request(tx, holder)
            keys.note_use(tx, holder, "203.0.113.77")
        book_call(self.store, reservation, 0, CALL)

    def use_key(self) -> None:
        """A request that calls no model: its use is noted in a transaction of its own."""
        with self.store.database.write() as tx:
            holder = self.store.api_keys.holder_by_id(tx, self.account_id, self._key())
            self.store.api_keys.note_use(tx, holder, "203.0.113.77")

    def edit_key(self) -> None:
        limits = ApiKeyLimits(requests_per_minute=1_000_000 - self.worker.number, spend_limit_micro_usd=MICRO_PER_USD)
        with self.store.api_keys.administering(self.name, actor="test") as (tx, by):
            self.store.api_keys.acts.edit(tx, by, self._key(), "key", limits)

    def read_task(self) -> None:
        """A batch is read: its entry is updated, and its output belongs to the account."""
        with self.store.database.write() as tx:
            self.store.usage.note_task_status(tx, self.account_id, "batch_1", f"{self.worker.number}", done=1)
            self.store.relay_files.register(
                tx, self.account_id, f"file-{self.account_id}", filename="f", purpose="batch_output", task_id="batch_1"
            )

    def erase_addresses(self) -> None:
        self.store.usage.erase_ips(self.token)

    def _key(self) -> int:
        """The account's API key. Raises `NoSuchItem` once the account is deleted."""
        with self.store.database.read() as tx:
            keys = self.store.api_keys.acts.list(tx, self.account_id)
        if not keys:
            raise NoSuchItem
        return keys[0].id

    def save_threshold(self) -> None:
        mine = self.store.settings.load(self.token, NotificationSettings)
        edited = replace(mine.section, threshold_micro_usd=mine.section.threshold_micro_usd + 1)
        self.store.settings.save(self.token, edited, mine.version)

    def save_privacy(self) -> None:
        mine = self.store.settings.load(self.token, PrivacySettings)
        edited = replace(mine.section, record_client_ip=not mine.section.record_client_ip)
        self.store.settings.save(self.token, edited, mine.version)

    def come_and_go(self) -> None:
        self.sign_in()
        self.store.sessions.end(self.token)
        self.sign_in()

    def sign_out_others(self) -> None:
        self.store.sessions.sign_out_others(self.token)

    def top_up(self) -> None:
        self.store.quota.adjust(self.name, add=TOP_UP, actor="test")

    def rotate(self) -> None:
        made = self.store.access_token.generate(self.token)
        self.store.access_token.authenticate(made.token)

    def log(self) -> None:
        self.store.usage.record(self.account_id, CALL)

    def fail(self) -> None:
        tries = self.store.sign_in._attempts
        tries._note(Factor.PASSWORD, self.account_id, self.name, "pts/0", Tag.SIGN_IN_FAILED, FREE_FAILURES, {})

    def prove_by_passkey(self) -> None:
        started = self.store.ceremonies.begin_proof(self.token)
        ceremony = self.store.passkey_verification.claim(started.code)
        with self.store.database.read() as tx:
            row = tx.execute(select(Passkey).where(Passkey.c.account_id == self.account_id)).one_or_none()
        if row is not None:
            stored = StoredCredential(row.id, self.account_id, row.credential_id, row.public_key, 0, b"")
            self.store.passkey_verification.finish_assertion(ceremony, stored, 0)

    def rename_passkey(self) -> None:
        keys = self.store.passkeys.list(self.token)
        if keys:
            self.store.passkeys.rename(self.token, keys[0].id, f"key {self.worker.number}")

    def sign_in_by_ssh_key(self) -> None:
        """From an address of its own each time: the key comes and goes, and a refusal counts against its address."""
        self.signed_in += 1
        peer = f"{self.worker.number}.{self.signed_in}"
        self.store.sign_in.with_ssh_key(fingerprint(), self.name, source="ssh", peer=peer)

    def exchange_ssh_key(self) -> None:
        for key in self.store.ssh_keys.list_of(self.name):
            self.store.ssh_keys.remove_for(self.name, key.id, actor="test")
        self.store.ssh_keys.add_for(self.name, public_key(), "laptop", actor="test")

    def ask_price(self) -> None:
        self.store.pricing.admit(self.account_id, f"model {self.worker.number}")

    def delete(self) -> None:
        """Delete the account, signing in again as often as another signs this process out."""
        while True:
            try:
                self.store.deletion.delete(self.token, self.name)
            except SessionEnded:
                self.sign_in()
            else:
                return

    def be_deleted(self) -> None:
        """An administrator deletes the account."""
        self.store.deletion.delete_by_name(self.name, actor="test")

    def turns(self) -> tuple[Callable[[], None], ...]:
        """The repeated act of this process. Neighbours act on the same rows in another order."""
        sets: tuple[tuple[Callable[[], None], ...], ...] = (
            (self.call, self.top_up, self.read_task),
            (self.save_threshold, self.save_privacy, self.call_by_key),
            (self.come_and_go, self.sign_in_by_ssh_key, self.use_key),
            (self.sign_out_others, self.erase_addresses),
            (self.call, self.log, self.edit_key),
            (self.rotate, self.fail, self.call_by_key),
            (self.prove_by_passkey, self.read_task, self.use_key),
            (self.rename_passkey, self.exchange_ssh_key, self.ask_price, self.edit_key),
        )
        return sets[self.worker.number]


def set_up(store: Store, name: str) -> int:
    """An account that signs in through a bound identity and has a passkey."""
    account = add_account(store, name, quota_usd=1000)
    with store.database.write() as tx:
        tx.execute(
            insert(Binding).values(account_id=account.id, provider_id=1, subject=name, display="", created_at=START)
        )
        plant_passkey(tx, account.id)
        store.usage.append(tx, account.id, UsageEntry(Kind.TASK, "batch", request_id="batch_1"))
    with store.api_keys.administering(name, actor="test") as (tx, by):
        store.api_keys.acts.create(tx, by, "key", ApiKeyLimits(requests_per_minute=1_000_000))
    return account.id


@pytest.fixture
def open_store(store: Store) -> Store:
    """A store where everything is switched on."""
    store.site.set("account_binding.enabled", "true")
    store.site.set("passkeys.enabled", "true")
    store.bindings.add_provider(
        "one", "One", ProviderKind.OIDC, issuer="https://id.example.com", client_id="gatekey", client_secret=None
    )
    return store


def work(worker: Worker, url: str, account_id: int, name: str, times: int) -> dict[str, int]:
    """Take one's turns; returns how often each succeeded, and how often the store was unavailable."""
    done: dict[str, int] = {"unavailable": 0}
    with enter(url).store as store:
        person = Person(store, worker, account_id, name)
        person.sign_in()
        worker.meet()
        for _ in range(times):
            for turn in person.turns():
                try:
                    turn()
                except SessionEnded:
                    person.sign_in()
                except SettingsConflict:
                    continue
                except StoreUnavailable:
                    done["unavailable"] += 1
                except GatekeyError:
                    continue
                else:
                    done[turn.__name__] = done.get(turn.__name__, 0) + 1
    return done


@pytest.mark.parametrize("times", [15, pytest.param(300, marks=pytest.mark.long)])
def test_everything_at_once(
    processes: ProcessGroup, url: str, database_kind: str, open_store: Store, times: int
) -> None:
    account_id = set_up(open_store, "alice")
    results = processes.run(work, url, account_id, "alice", times)
    unavailable = sum(done["unavailable"] for done in results)
    calls, top_ups = (sum(done.get(act, 0) for done in results) for act in ("call", "top_up"))
    acts = sum(sum(done.values()) for done in results) - unavailable
    print(f"BAR lock-order-{database_kind} {FULL} processes, {acts} acts on one account: {unavailable} refused as busy")
    assert unavailable == 0
    with open_store.database.read() as tx:
        state = open_store.quota.state_of(tx, account_id)
        assert open_store.audit.verify(tx, account_id) is None
    assert state.held_micro_usd == 0
    assert state.used_micro_usd == calls * COST
    assert state.remaining_micro_usd == 1000 * MICRO_PER_USD + top_ups * TOP_UP - calls * COST


def work_until_deleted(worker: Worker, url: str, rounds: list[tuple[int, str]]) -> int:
    """Worker 0 deletes the account while the others work on it; returns how often the store was busy."""
    busy = 0
    with enter(url).store as store:
        for account_id, name in rounds:
            person = Person(store, worker, account_id, name)
            person.sign_in()
            worker.meet()
            delete = person.delete if account_id % 2 else person.be_deleted
            for turn in person.turns() if worker.number else (delete,):
                try:
                    turn()
                except StoreUnavailable as error:
                    # A log entry of an account that is gone is refused; that is no stand-still.
                    busy += type(error).__name__ == "DatabaseBusy"
                except GatekeyError:
                    continue
            worker.meet()
    return busy


@pytest.mark.parametrize("rounds", [4, pytest.param(100, marks=pytest.mark.long)])
def test_a_deletion_among_everything(
    processes: ProcessGroup, url: str, database_kind: str, open_store: Store, rounds: int
) -> None:
    plan = [(set_up(open_store, name), name) for name in (f"user{number}" for number in range(rounds))]
    busy = sum(processes.run(work_until_deleted, url, plan))
    with open_store.database.read() as tx:
        left = tx.execute(select(func.count()).select_from(Account)).scalar_one()
    print(
        f"BAR lock-order-deletion-{database_kind} {rounds} deletions amid 7 others' acts: "
        f"{busy} refused as busy, {left} left"
    )
    assert (busy, left) == (0, 0)
