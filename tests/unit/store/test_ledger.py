"""The ledger: every change of the balance has one entry, and the entries add up to the balance."""

from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from store.errors import CodeRefused, GatekeyError, InvalidMoney, InvalidNumber, QuotaExceeded
from store.ledger import MAX_PAGE_SIZE
from store.reservations import ABANDONED_AFTER, Hold
from store.store import Store
from store.values.ledger import LedgerKind
from store.values.usage import Kind, UsageEntry
from tests.harness.ledger_checks import ledger_faults, ledger_of
from tests.harness.people import Person
from tests.harness.quota_calls import book_call, hold_quota
from tests.harness.repeatable_search import run_lives
from tests.harness.stores import StillClock, add_account, make_store, sign_in

FIVE = 5_000_000
AMOUNTS = st.integers(0, 4_000_000)


class AccountMoney(RuleBasedStateMachine):
    """Every way to change a balance, beside a list of the changes that should stand in the ledger."""

    steps = 0

    @initialize()
    def begin(self) -> None:
        self.clock = StillClock()
        self.store = make_store(clock=self.clock)
        self.id = add_account(self.store).id
        self.token = sign_in(self.store)
        self.holds: list[Hold] = []
        self.codes: list[tuple[str, int]] = []
        self.used_codes: list[str] = []
        self.balance = FIVE
        self.expected: list[tuple[LedgerKind, int]] = [(LedgerKind.TOP_UP, FIVE)]

    def changed(self, kind: LedgerKind, amount: int) -> None:
        self.balance += amount
        self.expected.append((kind, amount))

    @rule(amount=AMOUNTS)
    def hold(self, amount: int) -> None:
        try:
            self.holds.append(hold_quota(self.store, self.id, amount))
        except QuotaExceeded:
            return

    @rule(cost=AMOUNTS, is_error=st.booleans())
    def book(self, cost: int, is_error: bool) -> None:
        if not self.holds:
            return
        kind = Kind.ERROR if is_error else Kind.CONSUMPTION
        taken = book_call(self.store, self.holds.pop(), cost, UsageEntry(kind, "gpt-5", api_key_name="build"))
        assert 0 <= taken <= cost
        if taken:
            self.changed(LedgerKind.CALL, -taken)

    @rule(amount=st.integers(-3_000_000, 3_000_000))
    def adjust(self, amount: int) -> None:
        try:
            self.store.quota.adjust("alice", add=amount, reason="by hand", actor="root")
        except InvalidMoney:
            assert self.balance + amount < 0
            return
        if amount:
            self.changed(LedgerKind.TOP_UP if amount > 0 else LedgerKind.DEBIT, amount)

    @rule(amount=AMOUNTS)
    def set_to(self, amount: int) -> None:
        change = amount - self.balance
        self.store.quota.adjust("alice", set_to=amount, actor="root")
        if change:
            self.changed(LedgerKind.TOP_UP if change > 0 else LedgerKind.DEBIT, change)

    @rule(amount=st.integers(1, 3_000_000))
    def make_code(self, amount: int) -> None:
        (made,) = self.store.redeem_codes.create(amount, 1, actor="root")
        self.codes.append((made.code, amount))

    @rule()
    def redeem(self) -> None:
        if self.codes:
            code, amount = self.codes.pop()
            redeemed = self.store.redeem_codes.redeem(self.token, code)
            self.changed(LedgerKind.CODE, amount)
            self.used_codes.append(code)
            assert (redeemed.amount_micro_usd, redeemed.remaining_micro_usd) == (amount, self.balance)

    @rule()
    def redeem_again(self) -> None:
        if self.used_codes:
            with pytest.raises(CodeRefused):
                self.store.redeem_codes.redeem(self.token, self.used_codes[-1])
            self.store.accounts.reset_factors("alice", actor="root")

    @rule()
    def lose_the_calls(self) -> None:
        """The process dies, and another one releases its holds."""
        self.clock.advance(seconds=(ABANDONED_AFTER + timedelta(seconds=1)).total_seconds())
        released = self.store.quota.release_abandoned()
        self.expected += [(LedgerKind.HOLD_RELEASED, 0)] * released
        self.holds.clear()
        self.token = sign_in(self.store)

    @invariant()
    def adds_up(self) -> None:
        type(self).steps += 1
        assert ledger_faults(self.store, self.id) == []
        entries = ledger_of(self.store, self.id)
        assert [(entry.kind, entry.amount_micro_usd) for entry in entries] == self.expected
        assert entries[-1].balance_micro_usd == self.balance

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()


def run_money(examples: int, *, is_repeatable: bool) -> None:
    AccountMoney.steps = 0
    run_lives(AccountMoney, examples, 30, is_repeatable=is_repeatable)
    print(f"an account's money: the ledger added up after {AccountMoney.steps} steps of {examples} lives")


@pytest.mark.one_interpreter
def test_the_entries_are_the_changes_and_add_up() -> None:
    run_money(25, is_repeatable=True)


@pytest.mark.long
def test_the_entries_add_up_in_many_lives() -> None:
    run_money(500, is_repeatable=False)


# -- on every database ------------------------------------------------------------------------------------------


def test_an_entry_tells_what_when_why_and_who(store: Store, alice: Person, clock: StillClock) -> None:
    clock.advance(minutes=1)
    store.quota.adjust("alice", add=1, reason="goodwill \x1b[2J", actor="unix:root")
    clock.advance(minutes=1)
    book_call(store, hold_quota(store, alice.id, 10), 7, UsageEntry(Kind.CONSUMPTION, "gpt-5", api_key_name="build"))
    opening, top_up, call = ledger_of(store, alice.id)
    assert (opening.sequence, opening.balance_micro_usd) == (1, FIVE)
    assert (top_up.kind, top_up.amount_micro_usd, top_up.actor) == (LedgerKind.TOP_UP, 1, "unix:root")
    assert top_up.reason == "goodwill �[2J"
    assert top_up.at == clock.now() - timedelta(minutes=1)
    (logged,) = store.usage.page(alice.token).entries
    assert (call.kind, call.amount_micro_usd, call.usage_entry_id) == (LedgerKind.CALL, -7, logged.id)
    assert (call.reason, call.actor, call.balance_micro_usd) == ("gpt-5", "build", FIVE + 1 - 7)
    assert ledger_faults(store, alice.id) == []


def test_pages_are_complete_and_of_one_account(store: Store, alice: Person, bob: Person) -> None:
    for _ in range(12):
        store.quota.adjust("alice", add=1, actor="root")
        store.quota.adjust("bob", add=2, actor="root")
    first = store.ledger.page(alice.token, limit=5)
    assert [entry.sequence for entry in first.entries] == [13, 12, 11, 10, 9]
    assert first.next_before == 9
    last = store.ledger.page(alice.token, before=4, limit=5)
    assert ([entry.sequence for entry in last.entries], last.next_before) == ([3, 2, 1], None)
    assert {entry.amount_micro_usd for entry in ledger_of(store, bob.id)[1:]} == {2}
    for limit in (0, MAX_PAGE_SIZE + 1):
        with pytest.raises(InvalidNumber):
            store.ledger.page(alice.token, limit=limit)


def test_what_is_refused_leaves_no_entry(store: Store, alice: Person) -> None:
    before = ledger_of(store, alice.id)
    hold = hold_quota(store, alice.id, 5)
    with pytest.raises(InvalidMoney):
        store.quota.adjust("alice", add=-FIVE - 1, actor="root")
    book_call(store, hold, 0)
    for again in (0, 5):
        with pytest.raises(GatekeyError):
            book_call(store, hold, again)
    assert ledger_of(store, alice.id) == before
    assert ledger_faults(store, alice.id) == []
