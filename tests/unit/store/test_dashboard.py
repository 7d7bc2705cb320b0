"""The figures of the page Overview: totals by day, model and key, and the change against the days before."""

from datetime import timedelta

import pytest

from screens.modules.overview_rows import shares_of
from store.errors import InvalidNumber, SessionEnded
from store.sessions import IDLE_LIMIT
from store.store import Store
from store.usage_totals import MAX_NAMES
from store.values.dashboard import Period
from store.values.usage import DayTotal, Kind, UsageEntry, UsageTotal
from tests.harness.people import Person, configure_mail, statements
from tests.harness.quota_calls import book_call, hold_quota, spend_quota
from tests.harness.stores import StillClock, sign_in


def call(
    store: Store, person: Person, cost: int, model: str = "gpt", key: str = "build", kind: Kind = Kind.CONSUMPTION
) -> None:
    entry = UsageEntry(kind, model, api_key_name=key, prompt_tokens=7, completion_tokens=3)
    book_call(store, hold_quota(store, person.id, cost), cost, entry)


def test_an_account_without_a_call_has_figures_too(store: Store, alice: Person) -> None:
    shown = store.dashboards.read(alice.token, 7)
    assert [day.calls for day in shown.days] == [0] * 7
    assert (shown.days[0].day, shown.days[-1].day) == ("2026-11-17", "2026-11-23")
    assert (shown.by_model, shown.by_key, shown.last_errors, shown.last_deliveries) == ((), (), (), ())
    assert shown.month.cost_change_percent is None
    assert len(shown.checks) == 5


def test_each_period_is_compared_with_the_one_before(store: Store, alice: Person, clock: StillClock) -> None:
    clock.advance(days=-40)
    for _ in range(40):  # one call of 1000 each day, and from the last week on of 1500
        days_left = (timedelta(days=40) - (clock.now() - clock.now().replace(2026, 10, 14))).days
        call(store, alice, 1500 if days_left <= 7 else 1000)
        clock.advance(days=1)
    call(store, alice, 3000)
    token = sign_in(store)
    shown = store.dashboards.read(token, 7)
    assert (shown.today.now.cost_micro_usd, shown.today.before.cost_micro_usd) == (3000, 1500)
    assert shown.today.cost_change_percent == 100
    assert shown.week.now.cost_micro_usd == 6 * 1500 + 3000
    assert shown.week.before.calls == shown.week.now.calls == 7
    assert (shown.chosen, len(shown.days)) == (shown.week, 7)
    assert shown.week.now.tokens == 70
    assert shown.month.now.calls == 30
    assert shown.month.before.calls == 11
    wide = store.dashboards.read(token, 90)
    assert sum(day.calls for day in wide.days) == 41
    assert wide.quota.used_micro_usd == sum(day.cost_micro_usd for day in wide.days)


@pytest.mark.parametrize(
    ("now", "before", "percent"),
    [(0, 0, None), (5, 0, None), (0, 5, -100), (112, 100, 12), (1005, 1000, 1), (995, 1000, -1), (1004, 1000, 0)],
)
def test_a_change_is_rounded_to_whole_percents(now: int, before: int, percent: int | None) -> None:
    period = Period(DayTotal("", 1, now, 1, now), DayTotal("", 1, before, 1, before))
    assert period.cost_change_percent == period.errors_change_percent == percent


def test_totals_are_by_model_and_by_key_the_dearest_first(store: Store, alice: Person, clock: StillClock) -> None:
    call(store, alice, 900, "old model", "old key")
    clock.advance(days=7)
    call(store, alice, 10, "small", "notebook")
    call(store, alice, 500, "large", "build")
    call(store, alice, 20, "small", "build")
    call(store, alice, 0, "invented", "build", Kind.ERROR)
    token = sign_in(store)
    assert store.totals.totals(token, 7, by="model") == (
        UsageTotal("large", 1, 0, 10, 500),
        UsageTotal("small", 2, 0, 20, 30),
        UsageTotal("", 1, 1, 10, 0),
    )
    assert store.totals.totals(token, 7, by="key") == (
        UsageTotal("build", 3, 1, 30, 520),
        UsageTotal("notebook", 1, 0, 10, 10),
    )
    assert store.totals.totals(token, 8, by="key")[0] == UsageTotal("old key", 1, 0, 10, 900)
    for wrong in (0, 367):
        with pytest.raises(InvalidNumber):
            store.totals.totals(token, wrong, by="key")


def test_totals_by_model_and_by_key_add_up_to_the_days(store: Store, alice: Person, clock: StillClock) -> None:
    for number in range(20):
        kind = Kind.ERROR if number % 5 == 0 else Kind.CONSUMPTION
        call(store, alice, number, f"m{number % 3}", f"k{number % 4}", kind)
        clock.advance(hours=5)
    shown = store.dashboards.read(sign_in(store), 30)
    for totals in (shown.by_model, shown.by_key):
        assert sum(total.calls for total in totals) == shown.month.now.calls == 20
        assert sum(total.cost_micro_usd for total in totals) == shown.month.now.cost_micro_usd == 190
        assert sum(total.errors for total in totals) == shown.month.now.errors == 4
        assert sum(total.tokens for total in totals) == shown.month.now.tokens == 200


def test_names_beyond_a_hundred_are_one_total(store: Store, alice: Person) -> None:
    for number in range(MAX_NAMES + 3):
        call(store, alice, 1000 - number, f"m{number}", f"k{number % MAX_NAMES}")
    token = sign_in(store)
    by_model = store.totals.totals(token, 7, by="model")
    assert [total.names for total in by_model] == [1] * MAX_NAMES + [3]
    assert by_model[-1] == UsageTotal("", 3, 0, 30, 900 + 899 + 898, names=3)
    assert len(store.totals.totals(token, 7, by="key")) == MAX_NAMES
    shares = shares_of(by_model, nameless="refused calls", noun="model")
    assert (shares[-1].name, shares[-1].amount) == ("99 other models", sum(1000 - at for at in range(4, 103)))


def test_the_last_errors_and_deliveries_are_listed(store: Store, alice: Person, bob: Person) -> None:
    configure_mail(store)
    for number in range(7):
        store.usage.record(alice.id, UsageEntry(Kind.ERROR, f"m{number}", status="503"))
    store.usage.record(bob.id, UsageEntry(Kind.ERROR, "of bob"))
    spend_quota(store, alice.id, 4_500_000)
    shown = store.dashboards.read(alice.token, 7)
    assert [logged.entry.model for logged in shown.last_errors] == ["m6", "m5", "m4", "m3", "m2"]
    assert shown.last_deliveries[0].kind == "quota:warning"
    newest = max(delivery.id for delivery in shown.last_deliveries)
    assert shown.last_deliveries[0].id == newest


def test_a_refresh_does_not_keep_a_session_alive(store: Store, alice: Person, clock: StillClock) -> None:
    for _ in range(4):
        clock.advance(minutes=14)
        store.dashboards.read(alice.token, 7, is_activity=False)
    clock.time = clock.time - timedelta(minutes=56) + IDLE_LIMIT
    with pytest.raises(SessionEnded):
        store.dashboards.read(alice.token, 7, is_activity=False)


def test_the_figures_read_no_log_but_its_last_entries(store: Store, alice: Person) -> None:
    with statements(store) as seen:
        store.dashboards.read(alice.token, 90)
    of_log = [one for one in seen if "FROM usage_log" in one]
    assert len(of_log) == 1
    assert "LIMIT" in of_log[0]
