"""Redeem codes: made once, redeemed once, guessed never."""

import random
import re

import pytest
from sqlalchemy import select

from store.audit_tags import SiteTag, Tag
from store.backup_codes import ALPHABET
from store.errors import (
    CodeRefused,
    FactorDisabled,
    GatekeyError,
    InvalidExpiry,
    InvalidMoney,
    InvalidNumber,
    InvalidSecret,
    NoSuchItem,
    TooManyAttempts,
)
from store.models import RedeemCode
from store.money import MAXIMUM_MICRO_USD
from store.redeem_codes import CODE_LENGTH, generate
from store.sessions import digest
from store.store import Store
from store.throttle import DISABLED_AFTER_FAILURES, Factor
from store.values.ledger import LedgerKind
from store.values.redeem_codes import CodeState, RedeemCodeInfo
from tests.harness.ledger_checks import ledger_faults, ledger_of
from tests.harness.people import Person, contents, tags
from tests.harness.stores import StillClock, sign_in

FIVE = 5_000_000
UNKNOWN = "ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ"


def one_code(store: Store, amount: int = FIVE, *, days: int | None = None, note: str = "") -> str:
    (made,) = store.redeem_codes.create(amount, 1, days=days, note=note, actor="unix:root")
    return made.code


def only(store: Store) -> RedeemCodeInfo:
    (info,) = store.redeem_codes.page()
    return info


def test_a_code_is_readable_and_has_over_a_hundred_bits() -> None:
    codes = {generate(random.Random(seed)) for seed in range(200)}
    assert len(codes) == 200
    assert all(re.fullmatch(rf"(?:[{ALPHABET}]{{5}}-){{4}}[{ALPHABET}]{{5}}", code) for code in codes)
    assert len(ALPHABET) ** CODE_LENGTH >= 2**125


def test_a_code_adds_its_amount_once(store: Store, alice: Person, bob: Person) -> None:
    code = one_code(store, note="spring offer")
    redeemed = store.redeem_codes.redeem(alice.token, code)
    assert (redeemed.amount_micro_usd, redeemed.remaining_micro_usd) == (FIVE, 2 * FIVE)
    entry = ledger_of(store, alice.id)[-1]
    assert (entry.kind, entry.amount_micro_usd, entry.reason, entry.actor) == (
        LedgerKind.CODE,
        FIVE,
        "spring offer",
        "alice",
    )
    assert tags(store, alice.id)[-1] == Tag.CODE_REDEEMED
    for person in (alice, bob):
        with pytest.raises(CodeRefused, match="redeemed before"):
            store.redeem_codes.redeem(person.token, code)
    assert store.quota.state(bob.token).remaining_micro_usd == FIVE
    assert ledger_faults(store, alice.id) == ledger_faults(store, bob.id) == []


def test_a_code_is_read_as_people_type_it(store: Store, alice: Person) -> None:
    for change in (str.lower, lambda code: code.replace("-", " "), lambda code: code.replace("0", "o")):
        assert store.redeem_codes.redeem(alice.token, change(one_code(store))).amount_micro_usd == FIVE


def test_nothing_is_left_of_a_redeemed_code_but_its_hash_and_the_account(store: Store, alice: Person) -> None:
    code = one_code(store)
    with store.database.read() as tx:
        assert tx.execute(select(RedeemCode.c.last_four)).scalar_one() == code[-4:]
    store.redeem_codes.redeem(alice.token, code)
    with store.database.read() as tx:
        row = tx.execute(select(RedeemCode)).one()
    assert (row.code_hash, row.last_four, row.redeemed_by) == (digest(code.replace("-", "")), "", alice.id)
    stored = repr(contents(store))
    assert code not in stored
    assert code.replace("-", "") not in stored
    assert all(group not in stored for group in code.split("-"))


@pytest.mark.parametrize("text", ["", "hello", UNKNOWN[:-1], UNKNOWN + "Z", "ÄZZZZ-ZZZZZ-ZZZZZ-ZZZZZ-ZZZZZ", "U" * 25])
def test_what_is_no_code_is_said_to_be_none_and_costs_no_attempt(store: Store, alice: Person, text: str) -> None:
    for _ in range(10):
        with pytest.raises(InvalidSecret):
            store.redeem_codes.redeem(alice.token, text)
    with store.database.read() as tx:
        assert store.throttles.failures(tx, Factor.REDEEM, "alice") == 0


def test_guesses_are_stopped_and_signing_in_is_not(store: Store, alice: Person, clock: StillClock) -> None:
    code = one_code(store)
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(CodeRefused) as caught:
            store.redeem_codes.redeem(alice.token, UNKNOWN)
        assert caught.value.tries_left == left
    with pytest.raises(TooManyAttempts):
        store.redeem_codes.redeem(alice.token, code)
    assert tags(store, alice.id)[-2:] == [Tag.REDEEM_FAILED, Tag.REDEEM_LOCKED]
    assert sign_in(store)
    clock.advance(seconds=61)
    store.redeem_codes.redeem(alice.token, code)
    with store.database.read() as tx:
        assert store.throttles.failures(tx, Factor.REDEEM, "alice") == 0


def test_a_hundred_guesses_end_it_until_an_administrator_resets_it(
    store: Store, alice: Person, clock: StillClock
) -> None:
    token = alice.token
    for number in range(DISABLED_AFTER_FAILURES):
        with pytest.raises(CodeRefused):
            store.redeem_codes.redeem(token, UNKNOWN)
        clock.advance(minutes=16)
        if number % 3 == 2:
            token = sign_in(store)
    with pytest.raises(FactorDisabled, match="Redeeming codes"):
        store.redeem_codes.redeem(token, one_code(store))
    store.accounts.reset_factors("alice", actor="root")
    store.redeem_codes.redeem(token, one_code(store))


def test_a_code_expires(store: Store, alice: Person, clock: StillClock) -> None:
    code = one_code(store, days=1)
    clock.advance(hours=24)
    token = sign_in(store)
    assert only(store).state is CodeState.EXPIRED
    with pytest.raises(CodeRefused, match="expired"):
        store.redeem_codes.redeem(token, code)
    clock.advance(seconds=-1)
    assert store.redeem_codes.redeem(token, code).amount_micro_usd == FIVE


def test_a_code_is_revoked_all_or_none(store: Store, alice: Person) -> None:
    made = store.redeem_codes.create(FIVE, 3, actor="root")
    store.redeem_codes.redeem(alice.token, made[2].code)
    with pytest.raises(NoSuchItem, match=f"code {made[2].id} "):
        store.redeem_codes.revoke([made[0].id, made[2].id], actor="root")
    assert [info.state for info in store.redeem_codes.page()] == [CodeState.OPEN, CodeState.OPEN, CodeState.REDEEMED]
    store.redeem_codes.revoke([made[0].id, made[1].id, made[0].id], actor="root")
    with pytest.raises(CodeRefused, match="revoked"):
        store.redeem_codes.redeem(alice.token, made[0].code)
    with pytest.raises(NoSuchItem):
        store.redeem_codes.revoke([made[0].id], actor="root")


def test_the_list_tells_the_state_of_each_and_goes_by_pages(store: Store, alice: Person) -> None:
    made = store.redeem_codes.create(1, 5, note="a\x07b", actor="unix:root")
    store.redeem_codes.redeem(alice.token, made[1].code)
    listed = store.redeem_codes.page(limit=2) + store.redeem_codes.page(after=made[1].id)
    assert [info.id for info in listed] == [new.id for new in made]
    assert [info.redeemed_by for info in listed] == ["", "alice", "", "", ""]
    assert [info.last_four for info in listed[:2]] == [made[0].code[-4:], ""]
    assert {(info.note, info.created_by, info.amount_micro_usd) for info in listed} == {("a�b", "unix:root", 1)}


def test_the_site_log_tells_who_made_revoked_and_redeemed(store: Store, alice: Person) -> None:
    made = store.redeem_codes.create(FIVE, 2, actor="unix:root")
    store.redeem_codes.redeem(alice.token, made[0].code)
    store.redeem_codes.revoke([made[1].id], actor="unix:root")
    with store.database.read() as tx:
        events = store.audit.site_page(tx)
    assert [(event.tag, event.actor) for event in events[:3]] == [
        (SiteTag.REDEEM_CODE_REVOKED, "unix:root"),
        (SiteTag.CODE_REDEEMED, "alice"),
        (SiteTag.REDEEM_CODES_CREATED, "unix:root"),
    ]
    assert events[2].detail["codes"] == 2


@pytest.mark.parametrize(
    ("amount", "count", "days", "error"),
    [
        (0, 1, None, InvalidMoney),
        (-1, 1, None, InvalidMoney),
        (MAXIMUM_MICRO_USD + 1, 1, None, InvalidMoney),
        (1, 0, None, InvalidNumber),
        (1, 1001, None, InvalidNumber),
        (1, 1, 0, InvalidExpiry),
        (1, 1, 3651, InvalidExpiry),
    ],
)
def test_an_impossible_code_is_not_made(
    store: Store, amount: int, count: int, days: int | None, error: type[GatekeyError]
) -> None:
    with pytest.raises(error):
        store.redeem_codes.create(amount, count, days=days, actor="root")
    assert store.redeem_codes.page() == []


def test_a_balance_beyond_the_maximum_keeps_the_code(store: Store, alice: Person) -> None:
    code = one_code(store, MAXIMUM_MICRO_USD)
    for _ in range(6):
        with pytest.raises(InvalidMoney, match="the balance would exceed 1,000,000,000 dollars"):
            store.redeem_codes.redeem(alice.token, code)
    assert only(store).state is CodeState.OPEN
    assert ledger_faults(store, alice.id) == []
    assert Tag.REDEEM_FAILED not in tags(store, alice.id)


def test_a_right_code_that_cannot_be_redeemed_takes_back_its_own_attempt_only(store: Store, alice: Person) -> None:
    for _ in range(4):
        with pytest.raises(CodeRefused):
            store.redeem_codes.redeem(alice.token, UNKNOWN)
    for _ in range(3):
        with pytest.raises(InvalidMoney):
            store.redeem_codes.redeem(alice.token, one_code(store, MAXIMUM_MICRO_USD))
    with pytest.raises(CodeRefused):
        store.redeem_codes.redeem(alice.token, UNKNOWN)
    with pytest.raises(TooManyAttempts):
        store.redeem_codes.redeem(alice.token, UNKNOWN)


def test_the_code_of_a_deleted_account_stays_redeemed(store: Store, alice: Person, bob: Person) -> None:
    code = one_code(store)
    store.redeem_codes.redeem(alice.token, code)
    store.deletion.delete_by_name("alice", actor="root")
    info = only(store)
    assert (info.state, info.redeemed_by) == (CodeState.REDEEMED, "")
    with pytest.raises(CodeRefused):
        store.redeem_codes.redeem(bob.token, code)


def test_an_administrator_redeems_for_an_account(store: Store, alice: Person) -> None:
    redeemed = store.redeem_codes.redeem_for(alice.id, "alice", one_code(store), actor="unix:root")
    assert redeemed.remaining_micro_usd == 2 * FIVE
    assert ledger_of(store, alice.id)[-1].actor == "unix:root"
    for _ in range(5):
        with pytest.raises(CodeRefused):
            store.redeem_codes.redeem_for(alice.id, "alice", UNKNOWN, actor="unix:root")
    with pytest.raises(TooManyAttempts):
        store.redeem_codes.redeem_for(alice.id, "alice", UNKNOWN, actor="unix:root")
