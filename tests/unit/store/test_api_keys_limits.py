"""The limits of an API key: periods in UTC, models, networks, requests per minute, and what a change of them needs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from store.api_key_acts import KeyActor
from store.errors import (
    ApiKeyDisabled,
    FreshProofRequired,
    InvalidNetwork,
    ModelNotAllowed,
    NetworkNotAllowed,
    NoSuchItem,
    RequestRateReached,
    SpendLimitMissing,
    SpendLimitReached,
    StaleEdit,
)
from store.key_limits import checked_limits, is_allowed_address, is_allowed_model, loosened
from store.key_periods import next_period, period_start
from store.store import Store
from store.values.api_keys import ApiKeyLimits, KeyState, LimitPeriod
from tests.harness.people import Person, prove, tags
from tests.harness.quota_calls import book_call, hold_quota
from tests.harness.stores import START, StillClock, sign_in

DAILY, WEEKLY, MONTHLY, NONE = LimitPeriod.DAILY, LimitPeriod.WEEKLY, LimitPeriod.MONTHLY, LimitPeriod.NONE


def spend(store: Store, account_id: int, key_id: int, micro_usd: int) -> None:
    book_call(store, hold_quota(store, account_id, micro_usd, api_key_id=key_id), micro_usd)


def limited(store: Store, person: Person, limits: ApiKeyLimits) -> tuple[str, int]:
    made = store.api_keys.create(person.token, "key", limits)
    return made.key, made.info.id


# -- periods ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "day", "week", "month"),
    [
        (datetime(2026, 11, 26, 23, 59, 59, tzinfo=UTC), (11, 26), (11, 23), (11, 1)),
        (datetime(2026, 11, 23, tzinfo=UTC), (11, 23), (11, 23), (11, 1)),
        (datetime(2026, 11, 1, 5, tzinfo=UTC), (11, 1), (10, 26), (11, 1)),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), (2, 29), (2, 28), (2, 1)),
    ],
)
def test_a_period_begins_at_midnight_utc_on_monday_or_on_the_first(
    now: datetime, day: tuple[int, int], week: tuple[int, int], month: tuple[int, int]
) -> None:
    for period, (in_month, on_day) in ((DAILY, day), (WEEKLY, week), (MONTHLY, month)):
        start, end = period_start(period, now), next_period(period, now)
        assert start == datetime(now.year, in_month, on_day, tzinfo=UTC)
        assert end is not None
        assert end > now
        assert period_start(period, end) == end
        assert period_start(period, end - timedelta(microseconds=1)) == start
    assert period_start(NONE, now) is next_period(NONE, now) is None


@pytest.mark.parametrize(("period", "days"), [(DAILY, 1), (WEEKLY, 7), (MONTHLY, 31)])
def test_a_limit_begins_anew_with_its_period(
    store: Store, alice: Person, clock: StillClock, period: LimitPeriod, days: int
) -> None:
    _, key_id = limited(store, alice, ApiKeyLimits(spend_limit_micro_usd=1_000, limit_period=period))
    spend(store, alice.id, key_id, 900)
    with pytest.raises(SpendLimitReached):
        hold_quota(store, alice.id, 101, api_key_id=key_id)
    assert store.api_keys.list(alice.token)[0].spent_micro_usd == 900
    end = next_period(period, clock.now())
    assert end is not None
    assert end - clock.now() <= timedelta(days=days)
    with store.database.read() as tx:
        account = store.api_keys.acts
        clock.advance(seconds=(end - clock.now()).total_seconds() - 1)
        assert account.list(tx, alice.id)[0].spent_micro_usd == 900
        clock.advance(seconds=1)
        (key,) = account.list(tx, alice.id)
    assert (key.spent_micro_usd, key.total_spent_micro_usd) == (0, 900)
    spend(store, alice.id, key_id, 1_000)
    with pytest.raises(SpendLimitReached):
        hold_quota(store, alice.id, 1, api_key_id=key_id)
    with store.database.read() as tx:
        (key,) = store.api_keys.acts.list(tx, alice.id)
    assert (key.spent_micro_usd, key.total_spent_micro_usd) == (1_000, 1_900)
    assert key.state(clock.now()) is KeyState.SPENT


def test_a_limit_without_a_period_never_begins_anew(store: Store, alice: Person, clock: StillClock) -> None:
    _, key_id = limited(store, alice, ApiKeyLimits(spend_limit_micro_usd=1_000))
    spend(store, alice.id, key_id, 1_000)
    clock.advance(days=400)
    with pytest.raises(SpendLimitReached):
        hold_quota(store, alice.id, 1, api_key_id=key_id)


def test_a_hold_belongs_to_the_period_in_which_it_is_booked(store: Store, alice: Person, clock: StillClock) -> None:
    _, key_id = limited(store, alice, ApiKeyLimits(spend_limit_micro_usd=1_000, limit_period=DAILY))
    held = hold_quota(store, alice.id, 600, api_key_id=key_id)
    clock.advance(days=1)
    with pytest.raises(SpendLimitReached):
        hold_quota(store, alice.id, 401, api_key_id=key_id)
    book_call(store, held, 600)
    with store.database.read() as tx:
        assert store.api_keys.acts.list(tx, alice.id)[0].spent_micro_usd == 600
    spend(store, alice.id, key_id, 400)
    with pytest.raises(SpendLimitReached):
        hold_quota(store, alice.id, 1, api_key_id=key_id)


def test_a_clock_that_is_behind_does_not_bring_an_old_period_back(
    store: Store, alice: Person, clock: StillClock
) -> None:
    _, key_id = limited(store, alice, ApiKeyLimits(spend_limit_micro_usd=1_000, limit_period=DAILY))
    clock.advance(days=1)
    spend(store, alice.id, key_id, 1_000)
    clock.advance(days=-1)
    with pytest.raises(SpendLimitReached):
        hold_quota(store, alice.id, 1, api_key_id=key_id)


def test_what_the_relay_reads_as_free_is_that_of_the_period(store: Store, alice: Person, clock: StillClock) -> None:
    key, key_id = limited(store, alice, ApiKeyLimits(spend_limit_micro_usd=1_000, limit_period=DAILY))
    spend(store, alice.id, key_id, 900)
    assert store.api_keys.authenticate(key).free_on_key_micro_usd == 100
    clock.advance(days=1)
    assert store.api_keys.authenticate(key).free_on_key_micro_usd == 1_000


# -- models, networks, requests -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "is_allowed"),
    [("gpt-5", True), ("GPT-5", True), ("gpt-5-mini", False), ("gpt", False), ("gpt-5 ", False), ("", False)],
)
def test_a_model_is_allowed_by_its_name_in_any_case(model: str, is_allowed: bool) -> None:
    assert is_allowed_model(model, ("Gpt-5", "deepseek-chat")) is is_allowed
    assert is_allowed_model(model, None)


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("10.0.0.9", True),
        ("10.0.1.1", False),
        ("::ffff:10.0.0.9", True),
        ("2001:db8::7", True),
        ("2001:db9::7", False),
        ("192.0.2.1", True),
        ("192.0.2.2", False),
        ("", False),
        ("unknown", False),
    ],
)
def test_an_address_is_allowed_by_its_network(address: str, is_allowed: bool) -> None:
    stored = checked_limits(
        ApiKeyLimits(allowed_networks=("10.0.0.0/24", " 2001:DB8::/32 ", "::ffff:192.0.2.1", "10.0.0.0/24")), START
    ).allowed_networks
    assert stored == ("10.0.0.0/24", "2001:db8::/32", "192.0.2.1/32")
    assert is_allowed_address(address, stored) is is_allowed
    assert is_allowed_address(address, None)


def test_an_address_inside_a_network_is_asked_about() -> None:
    with pytest.raises(InvalidNetwork, match=r"Did you mean 10\.0\.0\.0/24\?"):
        checked_limits(ApiKeyLimits(allowed_networks=("10.0.0.5/24",)), START)


def test_a_key_is_checked_for_its_switch_its_address_its_model_and_its_minute(
    store: Store, alice: Person, clock: StillClock
) -> None:
    limits = ApiKeyLimits(allowed_models=("gpt-5",), allowed_networks=("10.0.0.0/24",), requests_per_minute=2)
    key, key_id = limited(store, alice, limits)
    holder = store.api_keys.authenticate(key)
    store.api_keys.check(holder, "10.0.0.1", "GPT-5")
    with pytest.raises(NetworkNotAllowed):
        store.api_keys.check(holder, "10.0.1.1", "gpt-5")
    with pytest.raises(ModelNotAllowed, match="gpt-6"):
        store.api_keys.check(holder, "10.0.0.1", "gpt-6")
    for _ in range(2):
        with store.database.write() as tx:
            store.api_keys.claim_request(tx, holder)
    with pytest.raises(RequestRateReached, match="may make 2 requests per minute"), store.database.write() as tx:
        store.api_keys.claim_request(tx, holder)
    with pytest.raises(RequestRateReached):
        store.api_keys.check(store.api_keys.authenticate(key), "10.0.0.1")
    clock.advance(minutes=1)
    store.api_keys.check(store.api_keys.authenticate(key), "10.0.0.1")
    with store.database.write() as tx:
        store.api_keys.claim_request(tx, holder)
    store.api_keys.disable(alice.token, key_id)
    with pytest.raises(ApiKeyDisabled):
        store.api_keys.check(store.api_keys.authenticate(key), "10.0.0.1")


def test_the_wait_for_the_next_minute_is_told(store: Store, alice: Person, clock: StillClock) -> None:
    key, _ = limited(store, alice, ApiKeyLimits(requests_per_minute=1))
    holder = store.api_keys.authenticate(key)
    clock.advance(seconds=60 - clock.now().second + 17)
    with store.database.write() as tx:
        store.api_keys.claim_request(tx, holder)
    with pytest.raises(RequestRateReached, match="1 request per minute") as refused, store.database.write() as tx:
        store.api_keys.claim_request(tx, holder)
    assert refused.value.retry_after == timedelta(seconds=43)


@pytest.mark.parametrize(("ahead_s", "is_full"), [(60, True), (120, False), (30 * 86_400, False)])
def test_a_minute_far_ahead_is_that_of_a_clock_that_was_set_back(
    store: Store, alice: Person, clock: StillClock, ahead_s: int, is_full: bool
) -> None:
    key, _ = limited(store, alice, ApiKeyLimits(requests_per_minute=2))

    def request() -> None:
        holder = store.api_keys.authenticate(key)
        store.api_keys.check(holder, "")
        with store.database.write() as tx:
            store.api_keys.claim_request(tx, holder)

    clock.jump(seconds=ahead_s)
    request()
    clock.jump(seconds=-ahead_s)
    request()
    if not is_full:
        request()
    with pytest.raises(RequestRateReached):
        request()


def test_a_refused_use_is_not_the_last_use(store: Store, alice: Person) -> None:
    key, key_id = limited(store, alice, ApiKeyLimits(allowed_networks=("192.0.2.0/24",)))
    store.api_keys.authenticate(key, "203.0.113.1")
    store.api_keys.disable(alice.token, key_id)
    store.api_keys.authenticate(key, "192.0.2.1")
    assert store.api_keys.list(alice.token)[0].last_used_at is None


# -- which changes need a proof -------------------------------------------------------------------------------------

FIRM = ApiKeyLimits(
    expires_at=START + timedelta(days=30),
    spend_limit_micro_usd=5_000,
    limit_period=WEEKLY,
    allowed_models=("gpt-5", "gpt-5-mini"),
    allowed_networks=("10.0.0.0/16",),
    requests_per_minute=60,
)


def with_(**changed: object) -> ApiKeyLimits:
    return ApiKeyLimits(**({name: getattr(FIRM, name) for name in ApiKeyLimits.__dataclass_fields__} | changed))


@pytest.mark.parametrize(
    ("after", "act"),
    [
        (with_(expires_at=None), "let the key work longer"),
        (with_(expires_at=START + timedelta(days=31)), "let the key work longer"),
        (with_(spend_limit_micro_usd=5_001), "raise the spend limit of the key"),
        (with_(spend_limit_micro_usd=None, limit_period=NONE), "raise the spend limit of the key"),
        (with_(limit_period=DAILY), "change when the spend limit of the key begins anew"),
        (with_(spend_limit_micro_usd=1, limit_period=DAILY), "change when the spend limit of the key begins anew"),
        (with_(allowed_models=None), "allow the key more models"),
        (with_(allowed_models=("gpt-5", "gpt-6")), "allow the key more models"),
        (with_(allowed_networks=None), "allow the key more addresses"),
        (with_(allowed_networks=("10.0.0.0/15",)), "allow the key more addresses"),
        (with_(allowed_networks=("10.0.0.0/24", "2001:db8::/32")), "allow the key more addresses"),
        (with_(requests_per_minute=None), "allow the key more requests"),
        (with_(requests_per_minute=61), "allow the key more requests"),
        (FIRM, ""),
        (with_(expires_at=START + timedelta(days=29)), ""),
        (with_(spend_limit_micro_usd=4_999), ""),
        (with_(limit_period=MONTHLY), "change when the spend limit of the key begins anew"),
        (with_(limit_period=NONE), "change when the spend limit of the key begins anew"),
        (with_(allowed_models=("GPT-5",)), ""),
        (with_(allowed_networks=("10.0.7.0/24", "10.0.0.1/32")), ""),
        (with_(requests_per_minute=59), ""),
    ],
)
def test_only_a_change_that_lowers_a_safeguard_needs_a_proof(
    store: Store, alice: Person, clock: StillClock, after: ApiKeyLimits, act: str
) -> None:
    assert loosened(FIRM, after) == act
    _, key_id = limited(store, alice, FIRM)
    clock.advance(minutes=6)
    if act:
        with pytest.raises(FreshProofRequired, match=act):
            store.api_keys.edit(alice.token, key_id, "key", after)
        assert store.api_keys.list(alice.token)[0].limits == FIRM
        prove(store, alice.token)
    edited = store.api_keys.edit(alice.token, key_id, "key", after)
    assert store.api_keys.list(alice.token) == [edited]
    assert edited.limits == after
    assert tags(store, alice.id).count("api-key:changed") == int(after != FIRM)


def test_an_unlimited_key_is_limited_without_a_proof(store: Store, alice: Person, clock: StillClock) -> None:
    _, key_id = limited(store, alice, ApiKeyLimits())
    clock.advance(minutes=6)
    assert store.api_keys.edit(alice.token, key_id, "other", FIRM).name == "other"


def test_a_week_that_was_spent_needs_a_proof_to_count_as_a_new_month(
    store: Store, alice: Person, clock: StillClock
) -> None:
    clock.jump(seconds=(datetime(2026, 11, 30, 12, tzinfo=UTC) - clock.now()).total_seconds())
    alice = replace(alice, token=sign_in(store))
    limits = ApiKeyLimits(spend_limit_micro_usd=1_000, limit_period=WEEKLY)
    _, key_id = limited(store, alice, limits)
    spend(store, alice.id, key_id, 1_000)
    clock.advance(days=2)
    actor, monthly = KeyActor(alice.id, "alice", "test", is_proved=False), replace(limits, limit_period=MONTHLY)
    with pytest.raises(FreshProofRequired), store.database.write() as tx:
        store.api_keys.acts.edit(tx, actor, key_id, "key", monthly)
    with pytest.raises(SpendLimitReached):
        hold_quota(store, alice.id, 1, api_key_id=key_id)


def test_a_period_without_a_limit_is_refused_and_ends_with_its_limit(store: Store, alice: Person) -> None:
    with pytest.raises(SpendLimitMissing, match=r"Set a limit first\.") as refused:
        store.api_keys.create(alice.token, "key", ApiKeyLimits(limit_period=DAILY))
    assert refused.value.field == "api-key-period"
    _, key_id = limited(store, alice, FIRM)
    with pytest.raises(SpendLimitMissing):
        store.api_keys.edit(alice.token, key_id, "key", with_(spend_limit_micro_usd=None, limit_period=DAILY))
    after = store.api_keys.edit(alice.token, key_id, "key", with_(spend_limit_micro_usd=None))
    assert after.limits == with_(spend_limit_micro_usd=None, limit_period=NONE)
    with pytest.raises(SpendLimitMissing):
        store.api_keys.edit(alice.token, key_id, "key", with_(spend_limit_micro_usd=None))


def test_an_expiry_that_has_passed_may_stay_and_a_new_one_may_not(
    store: Store, alice: Person, clock: StillClock
) -> None:
    expired = ApiKeyLimits(expires_at=START + timedelta(minutes=1))
    _, key_id = limited(store, alice, expired)
    clock.advance(minutes=2)
    assert store.api_keys.edit(alice.token, key_id, "renamed", expired).name == "renamed"


def test_a_change_over_somebody_elses_is_refused(store: Store, alice: Person) -> None:
    made = store.api_keys.create(alice.token, "key", FIRM)
    store.api_keys.edit(alice.token, made.info.id, "key", with_(requests_per_minute=30), expected=made.info)
    with pytest.raises(StaleEdit):
        store.api_keys.edit(alice.token, made.info.id, "mine", FIRM, expected=made.info)
    store.api_keys.revoke(alice.token, made.info.id)
    with pytest.raises(NoSuchItem):
        store.api_keys.edit(alice.token, made.info.id, "mine", FIRM)
