"""`kill -9` while a balance is changed in every way: no entry without its change, and no change without its entry."""

from sqlalchemy import select

from store.audit_tags import Tag
from store.models import RedeemCode
from store.values.ledger import LedgerKind
from tests.faults.kill_report import KillReport, at, count_events, is_corrupt
from tests.faults.killed_process import TargetProcess, kill_points, run_until_killed
from tests.harness.ledger_checks import ledger_faults, ledger_of
from tests.harness.quota_calls import book_call, hold_quota
from tests.harness.stores import add_account, make_store

COST = 1_000


def spend(target: TargetProcess, account_id: int, codes: tuple[str, ...]) -> None:
    """Redeem a code, top up, take away and book a call, over and over; say how many changes are done."""
    store, _ = target.open()
    changes = 0
    for code in codes:
        store.redeem_codes.redeem_for(account_id, "alice", code, actor="root")
        changes += 1
        target.say(changes)
        for add in (2 * COST, -COST):
            store.quota.adjust("alice", add=add, actor="root")
            changes += 1
            target.say(changes)
        book_call(store, hold_quota(store, account_id, COST), COST)
        changes += 1
        target.say(changes)


def test_changing_a_balance(url: str, database_kind: str, kill_count: int) -> None:
    report = KillReport("ledger", database_kind)
    with make_store(url) as store:
        account_id = add_account(store).id
    for number, kill_point in enumerate(kill_points(kill_count), 1):
        clock = at(number)
        with make_store(url, clock=clock, seed=number) as store:
            codes = tuple(made.code for made in store.redeem_codes.create(COST, 50, actor="root"))
            before = len(ledger_of(store, account_id))
        said, was_killed = run_until_killed(spend, url, clock.time, kill_point, account_id, codes)
        damaged = is_corrupt(url)
        with make_store(url, clock=clock) as store:
            entries = ledger_of(store, account_id)
            by_code = sum(entry.kind is LedgerKind.CODE for entry in entries)
            events = count_events(store, account_id, Tag.CODE_REDEEMED)
            with store.database.read() as tx:
                redeemed = len(tx.execute(select(RedeemCode.c.id).where(RedeemCode.c.redeemed_by.is_not(None))).all())
            faults = ledger_faults(store, account_id)
        done = [word for word in said if isinstance(word, int)]
        report.note(
            was_killed=was_killed,
            is_corrupt=damaged,
            is_half_done=bool(faults) or not by_code == events == redeemed,
            is_lost=len(entries) - before - (done[-1] if done else 0) not in (0, 1),
        )
    report.check()
