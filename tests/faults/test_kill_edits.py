"""`kill -9` while settings are saved and while the token is rotated."""

from dataclasses import replace

from store.audit_tags import Tag
from store.errors import InvalidToken
from store.sections import NotificationSettings
from store.store import Store
from tests.faults.kill_report import KillReport, at, count_events, is_corrupt
from tests.faults.killed_process import TargetProcess, kill_points, run_until_killed
from tests.harness.stores import add_account, make_store, sign_in


def save_settings(target: TargetProcess, token: str) -> None:
    """Save over and over, with a threshold that equals the version it will have."""
    store, _ = target.open()
    mine = store.settings.load(token, NotificationSettings)
    for _ in range(10_000):
        edited = replace(mine.section, threshold_micro_usd=mine.version + 1)
        mine = store.settings.save(token, edited, mine.version)
        target.say(mine.version)


def rotate(target: TargetProcess, token: str) -> None:
    """Generate a new token over and over."""
    store, _ = target.open()
    for _ in range(10_000):
        target.say(store.access_token.generate(token).token)


def test_saving_settings(url: str, database_kind: str, kill_count: int) -> None:
    report = KillReport("settings-save", database_kind)
    with make_store(url) as store:
        account = add_account(store)
        token = sign_in(store)
        mine = store.settings.load(token, NotificationSettings)
        store.settings.save(token, replace(mine.section, threshold_micro_usd=2), mine.version)
    for number, kill_point in enumerate(kill_points(kill_count), 1):
        with make_store(url, clock=at(number), seed=number) as store:
            token = sign_in(store)
            before = store.settings.load(token, NotificationSettings).version
        said, was_killed = run_until_killed(save_settings, url, at(number).time, kill_point, token)
        damaged = is_corrupt(url)
        with make_store(url, clock=at(number)) as store:
            mine = store.settings.load(token, NotificationSettings)
            events = count_events(store, account.id, Tag.SETTINGS_SAVED)
            with store.database.read() as tx:
                broken_at = store.audit.verify(tx, account.id)
        is_intact = mine.section.threshold_micro_usd == mine.version == events + 1 and broken_at is None
        made = mine.version - before
        report.note(
            was_killed=was_killed,
            is_corrupt=damaged,
            is_half_done=not is_intact,
            is_lost=made - len(said) not in (0, 1),
        )
    report.check()


def test_rotating_the_token(url: str, database_kind: str, kill_count: int) -> None:
    report = KillReport("rotate", database_kind)
    made_before, acknowledged = 0, ""
    with make_store(url) as store:
        account = add_account(store)
    for number, kill_point in enumerate(kill_points(kill_count), 1):
        clock = at(number)
        with make_store(url, clock=clock, seed=number) as store:
            token = sign_in(store)
        said, was_killed = run_until_killed(rotate, url, clock.time, kill_point, token)
        damaged = is_corrupt(url)
        acknowledged = said[-1] if said else acknowledged
        with make_store(url, clock=clock) as store:
            made = count_events(store, account.id, Tag.ACCESS_TOKEN_GENERATED)
            good = [old for old in {acknowledged, *said} if is_good(store, old)]
            has_one = store.access_token.status(token) is not None
        # One more than was acknowledged may have been made: its maker died before saying so.
        unsaid = made - made_before - len(said)
        made_before = made
        report.note(
            was_killed=was_killed,
            is_corrupt=damaged,
            is_half_done=has_one != (made > 0),
            is_lost=unsaid not in (0, 1) or good != ([acknowledged] if acknowledged and not unsaid else []),
        )
        acknowledged = "" if unsaid else acknowledged
    report.check()


def is_good(store: Store, token: str) -> bool:
    try:
        store.access_token.authenticate(token)
    except InvalidToken:
        return False
    return True
