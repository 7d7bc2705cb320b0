"""`kill -9` while backup codes are used, and while new ones take the place of the old."""

from sqlalchemy import select

from store.audit_tags import Tag
from store.models import BackupCode
from tests.faults.kill_report import KillReport, at, count_events, is_corrupt
from tests.faults.killed_process import TargetProcess, kill_points, run_until_killed
from tests.harness.people import code_at, enrol, ticket_for
from tests.harness.stores import StillClock, add_account, make_store, sign_in


def redeem(target: TargetProcess, codes: tuple[str, ...]) -> None:
    """Sign in with one backup code after the other."""
    store, _ = target.open()
    for code in codes:
        store.sign_in.with_code(ticket_for(store), code)
        target.say(code)


def renew(target: TargetProcess, token: str) -> None:
    """Make new backup codes over and over."""
    store, _ = target.open()
    for _ in range(10_000):
        target.say(store.two_factor.renew_codes(token))


def enrolled(url: str) -> tuple[int, str]:
    """An account with a second factor, and its secret."""
    with make_store(url) as store:
        account = add_account(store)
        return account.id, enrol(store, StillClock(), sign_in(store)).secret


def test_using_a_code(url: str, database_kind: str, kill_count: int) -> None:
    report = KillReport("redeem", database_kind)
    account_id, secret = enrolled(url)
    for number, kill_point in enumerate(kill_points(kill_count), 1):
        clock = at(number)
        with make_store(url, clock=clock, seed=number) as store:
            token = store.sign_in.with_code(ticket_for(store), code_at(secret, clock)).token
            codes = store.two_factor.renew_codes(token)
            before = count_events(store, account_id, Tag.BACKUP_CODE_USED)
        said, was_killed = run_until_killed(redeem, url, clock.time, kill_point, codes)
        damaged = is_corrupt(url)
        with make_store(url, clock=clock) as store:
            with store.database.read() as tx:
                used_at = tx.execute(select(BackupCode.c.used_at).order_by(BackupCode.c.id)).scalars().all()
            used = [moment is not None for moment in used_at]
            events = count_events(store, account_id, Tag.BACKUP_CODE_USED) - before
            opened = len(store.sessions.list(token)) - 1
        report.note(
            was_killed=was_killed,
            is_corrupt=damaged,
            # A used code was recorded and has let its owner in; one that was not has done neither.
            is_half_done=len(used) != 10 or not sum(used) == events == opened,
            is_lost=not all(used[: len(said)]) or sum(used) - len(said) not in (0, 1),
        )
    report.check()


def test_renewing_the_codes(url: str, database_kind: str, kill_count: int) -> None:
    report = KillReport("regenerate", database_kind)
    account_id, secret = enrolled(url)
    made_before, known = 0, ()
    for number, kill_point in enumerate(kill_points(kill_count), 1):
        clock = at(number)
        with make_store(url, clock=clock, seed=number) as store:
            token = store.sign_in.with_code(ticket_for(store), code_at(secret, clock)).token
        said, was_killed = run_until_killed(renew, url, clock.time, kill_point, token)
        damaged = is_corrupt(url)
        known = said[-1] if said else known
        with make_store(url, clock=clock) as store:
            with store.database.read() as tx:
                stored = list(tx.execute(select(BackupCode.c.code_hash).order_by(BackupCode.c.id)).scalars())
            made = count_events(store, account_id, Tag.BACKUP_CODES_RENEWED)
            fitting = sum(store.two_factor._codes.matches(code, stored) for code in known)
        # One more set than was acknowledged may have been made: its maker died before saying so.
        unsaid = made - made_before - len(said)
        made_before = made
        report.note(
            was_killed=was_killed,
            is_corrupt=damaged,
            is_half_done=len(stored) != 10 or fitting not in (0, 10),
            is_lost=unsaid not in (0, 1) or fitting != (0 if unsaid else len(known)),
        )
        known = () if unsaid else known
    report.check()
