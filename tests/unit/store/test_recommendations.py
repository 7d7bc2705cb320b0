"""The five recommendations, each checked against the account as it is now."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import update

from store.models import Account
from store.sections import NotificationSettings, PriceSettings
from store.store import Store
from store.values.recommendations import TITLES, Advice, Check
from tests.harness.fixtures import in_memory
from tests.harness.people import Person, configure_mail, enrol, ticket_for
from tests.harness.stores import StillClock, sign_in


def check(store: Store, token: str, advice: Advice) -> Check:
    found = {one.advice: one for one in store.recommendations.check(token)}
    assert list(found) == list(Advice)
    return found[advice]


def test_a_new_account_has_two_things_to_do(store: Store, alice: Person) -> None:
    configure_mail(store)
    met = {one.advice for one in store.recommendations.check(alice.token) if one.is_met}
    assert met == {Advice.ACCESS_TOKEN, Advice.QUOTA_WARNING, Advice.PRICING}
    assert all(
        one.title == TITLES[one.advice] and one.finding.endswith(".")
        for one in store.recommendations.check(alice.token)
    )


def test_two_factor_and_its_codes(store: Store, alice: Person, clock: StillClock) -> None:
    assert check(store, alice.token, Advice.TWO_FACTOR).finding == "It is off."
    assert check(store, alice.token, Advice.BACKUP_CODES).finding.startswith("There are none")
    codes = enrol(store, clock, alice.token).codes
    assert check(store, alice.token, Advice.TWO_FACTOR).is_met
    assert check(store, alice.token, Advice.BACKUP_CODES).finding == "10 of 10 are left."
    for code in codes[:7]:
        assert check(store, alice.token, Advice.BACKUP_CODES).is_met
        store.sign_in.with_code(ticket_for(store), code)
    low = check(store, alice.token, Advice.BACKUP_CODES)
    assert (low.is_met, low.finding) == (False, "3 of 10 are left. Make new ones.")


def test_a_token_grows_old(store: Store, alice: Person, clock: StillClock) -> None:
    assert check(store, alice.token, Advice.ACCESS_TOKEN) == Check(Advice.ACCESS_TOKEN, True, "There is none to lose.")
    store.access_token.generate(alice.token)
    assert check(store, alice.token, Advice.ACCESS_TOKEN).is_met
    clock.advance(days=89)
    assert check(store, sign_in(store), Advice.ACCESS_TOKEN).is_met
    clock.advance(days=1)
    old = check(store, sign_in(store), Advice.ACCESS_TOKEN)
    assert (old.is_met, old.finding) == (False, "It is 90 days old. Generate a new one.")


def no_address(store: Store) -> None:
    with store.database.write() as tx:
        tx.execute(update(Account).values(email=""))


@in_memory
@pytest.mark.parametrize(
    ("change", "before", "finding"),
    [
        ({}, configure_mail, "A warning is sent below $1.00."),
        ({"threshold_micro_usd": 0}, configure_mail, "The threshold is $0.00, so no warning is ever sent."),
        ({"email_on": False}, configure_mail, "No channel is on, so no warning reaches you."),
        ({}, no_address, "The account has no e-mail address."),
        ({"email_address": "warn@example.com"}, configure_mail, "A warning is sent below $1.00."),
        ({}, lambda _store: None, "The administrator has not set up e-mail."),
        (
            {"webhook_on": True, "webhook_url": "https://x.example"},
            lambda _store: None,
            "A warning is sent below $1.00.",
        ),
    ],
)
def test_a_warning_must_reach_someone(
    store: Store, alice: Person, change: dict[str, object], before: Callable[[Store], None], finding: str
) -> None:
    before(store)
    store.settings.save(alice.token, replace(NotificationSettings(), **change), 1)  # type: ignore[arg-type]  # by case
    found = check(store, alice.token, Advice.QUOTA_WARNING)
    assert (found.finding, found.is_met) == (finding, finding.startswith("A warning"))


def test_unpriced_models_are_a_risk(store: Store, alice: Person) -> None:
    assert check(store, alice.token, Advice.PRICING).is_met
    store.settings.save(alice.token, PriceSettings(accept_unpriced_models=True), 1)
    found = check(store, alice.token, Advice.PRICING)
    assert (found.is_met, "unpredictable" in found.finding) == (False, True)
    store.site.set("price.unpriced", "forbid")  # whatever the account accepts
    found = check(store, alice.token, Advice.PRICING)
    assert (found.is_met, found.finding) == (True, "Calls to models without a price are blocked.")
