"""Prices: one for each name in whatever case, and a model without one is let through only where its account said so."""

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from store.errors import InvalidModel, InvalidMoney, InvalidNumber, ModelNotPriced, ModelSpeltOtherwise, NoSuchItem
from store.models import Price, PriceSettingsRow
from store.money import MAXIMUM_MICRO_USD
from store.sections import PriceSettings
from store.site_switches import MAX_OUTPUT_TOKENS
from store.store import Store
from store.values.billing import ModelPrice, SeenModel
from tests.harness.fixtures import in_memory
from tests.harness.people import Person, contents
from tests.harness.stores import START, StillClock

PRICE = ModelPrice("gpt-5", 1_250_000, 10_000_000, 20)
LOOKALIKES = [
    "gpt-5 ",
    " gpt-5",
    "gpt\u20105",
    "ｇpt-5",
    "gpt-5\u200b",
    "gpt-5\x00",
    "gpt-5\ud800",
    "gpt-5\n",
    "",
]


def test_a_price_is_stored_changed_and_removed(store: Store) -> None:
    store.pricing.set(PRICE)
    store.pricing.set(ModelPrice("a-model", 0, 0))
    assert store.pricing.all() == [ModelPrice("a-model", 0, 0), PRICE]
    changed = ModelPrice("gpt-5", 1, 2, 3)
    store.pricing.set(changed)
    assert store.pricing.find("gpt-5") == changed
    store.pricing.remove("gpt-5")
    assert store.pricing.find("gpt-5") is None
    for model in ("gpt-5", "\x1b[2J"):
        with pytest.raises(NoSuchItem) as caught:
            store.pricing.remove(model)
        assert "\x1b" not in str(caught.value)


@in_memory
@pytest.mark.parametrize("model", ["", " gpt", "x" * 201, "bidi\u202e", "\ud800"], ids=lambda text: ascii(text[:9]))
def test_a_bad_name_has_no_price(store: Store, model: str) -> None:
    with pytest.raises(InvalidModel):
        store.pricing.set(ModelPrice(model, 1, 1))
    assert contents(store)["prices"] == []


@pytest.mark.parametrize("amount", [-1, MAXIMUM_MICRO_USD + 1, 10**40])
@pytest.mark.parametrize(
    "field", ["input_per_million", "output_per_million", "per_request", "cached_input_per_million"]
)
def test_a_bad_amount_is_refused(memory_store: Store, field: str, amount: int) -> None:
    amounts: dict[str, Any] = {"input_per_million": 1, "output_per_million": 1, "per_request": 1} | {field: amount}
    with pytest.raises(InvalidMoney):
        memory_store.pricing.set(ModelPrice("gpt-5", **amounts))
    assert contents(memory_store)["prices"] == []


def test_a_name_in_other_case_is_that_model(store: Store, alice: Person) -> None:
    straße = ModelPrice("Straße/É", 1, 2)
    for price in (PRICE, straße):
        store.pricing.set(price)
    for model, price in [("GPT-5", PRICE), ("gPt-5", PRICE), ("STRASSE/é", straße), ("straße/E\u0301", straße)]:
        assert store.pricing.find(model) == store.pricing.admit(alice.id, model) == price
    assert contents(store)["unpriced_models"] == []


@pytest.mark.parametrize("second", ["GPT-5", "gPt-5"])
def test_a_second_price_in_other_case_is_refused(store: Store, second: str) -> None:
    store.pricing.set(PRICE)
    with pytest.raises(ModelSpeltOtherwise, match="The model gpt-5 has a price, and its name differs only by case"):
        store.pricing.set(ModelPrice(second, 0, 0))
    assert store.pricing.all() == [PRICE]
    store.pricing.remove("gpt-5")
    store.pricing.set(ModelPrice(second, 0, 0))
    assert store.pricing.find("gpt-5") == ModelPrice(second, 0, 0)


def test_prices_from_before_names_were_folded(store: Store) -> None:
    for model, key in (("gpt-5", None), ("Gpt-5", None), ("GPT-5", "gpt-5")):
        amounts = {"input_micro_usd_per_million": 1, "output_micro_usd_per_million": 1, "request_micro_usd": 1}
        with store.database.write() as tx:
            tx.execute(insert(Price).values(model=model, model_key=key, updated_at=START, **amounts))
    for model, priced_as in (("gpt-5", "gpt-5"), ("Gpt-5", "Gpt-5"), ("GPT-5", "GPT-5"), ("gPT-5", "GPT-5")):
        assert (found := store.pricing.find(model)) is not None
        assert found.model == priced_as
    store.pricing.set(PRICE)
    assert store.pricing.find("gpt-5") == PRICE
    store.pricing.remove("GPT-5")
    assert (found := store.pricing.find("gPT-5")) is not None
    assert found.model == "Gpt-5"


@pytest.mark.parametrize("limits", [(None, None), (0, 1), (125_000, 128_000)])
def test_cached_input_and_the_longest_answer(store: Store, limits: tuple[int | None, int | None]) -> None:
    price = ModelPrice("gpt-5", 125_000, 2, 3, *limits)
    store.pricing.set(price)
    assert store.pricing.find("gpt-5") == price


def test_cached_input_dearer_than_other_input_is_refused(memory_store: Store) -> None:
    with pytest.raises(InvalidMoney, match="Cached input costs no more than other input") as refused:
        memory_store.pricing.set(ModelPrice("gpt-5", 250_000, 2_000_000, cached_input_per_million=250_001))
    assert refused.value.field == "cached-input"
    assert contents(memory_store)["prices"] == []


@pytest.mark.parametrize("most", [-1, 0, MAX_OUTPUT_TOKENS + 1, 10**40])
def test_a_bad_longest_answer_is_refused(memory_store: Store, most: int) -> None:
    with pytest.raises(InvalidNumber):
        memory_store.pricing.set(ModelPrice("gpt-5", 1, 1, max_output_tokens=most))
    assert contents(memory_store)["prices"] == []


def test_only_the_exact_name_is_priced(store: Store, alice: Person) -> None:
    store.pricing.set(PRICE)
    assert store.pricing.admit(alice.id, "gpt-5") == store.pricing.find("gpt-5") == PRICE
    for model in LOOKALIKES:
        assert store.pricing.find(model) is None
        with pytest.raises(ModelNotPriced) as caught:
            store.pricing.admit(alice.id, model)
        assert "\x00" not in str(caught.value)
        assert "\ud800" not in caught.value.model


def test_unpriced_is_refused_unless_the_account_said_otherwise(store: Store, alice: Person, bob: Person) -> None:
    store.pricing.set(PRICE)
    rng, admitted = random.Random(6), 0
    for _ in range(100):
        model = rng.choice(LOOKALIKES[:-1]) + str(rng.randrange(10_000))
        with pytest.raises(ModelNotPriced):
            store.pricing.admit(alice.id, model)
    print(f"unpriced models let through with the switch off: {admitted} of 100")
    store.settings.save(alice.token, PriceSettings(accept_unpriced_models=True), 1)
    assert store.pricing.admit(alice.id, "new-model") is None
    with pytest.raises(ModelNotPriced, match="The model new-model has no price"):
        store.pricing.admit(bob.id, "new-model")
    store.settings.save(alice.token, PriceSettings(accept_unpriced_models=False), 2)
    with pytest.raises(ModelNotPriced):
        store.pricing.admit(alice.id, "new-model")


def test_the_administrator_can_forbid_what_accounts_accept(store: Store, alice: Person) -> None:
    store.settings.save(alice.token, PriceSettings(accept_unpriced_models=True), 1)
    store.pricing.set(PRICE)
    assert not store.pricing.forbids_unpriced()
    store.site.set("price.unpriced", "forbid")
    assert store.pricing.forbids_unpriced()
    with pytest.raises(ModelNotPriced, match="has no price, and the administrator allows none without price settings"):
        store.pricing.admit(alice.id, "new-model")
    with store.database.read() as tx:
        assert not store.pricing.accepts_unpriced(tx, alice.id)
    assert store.pricing.admit(alice.id, "gpt-5") == PRICE
    store.site.unset("price.unpriced")
    assert store.pricing.admit(alice.id, "new-model") is None


def test_an_accepted_model_without_a_price_has_the_sites_rate(store: Store, alice: Person, bob: Person) -> None:
    store.settings.save(alice.token, PriceSettings(accept_unpriced_models=True), 1)
    store.site.set("price.unpriced_rate", "2.50/10")
    assert store.pricing.admit(alice.id, "new-model") == ModelPrice("new-model", 2_500_000, 10_000_000, is_default=True)
    assert [seen.model for seen in store.pricing.unpriced_models(alice.token)] == ["new-model"]
    with pytest.raises(ModelNotPriced):
        store.pricing.admit(bob.id, "new-model")


def test_a_missing_switch_is_off(store: Store, alice: Person) -> None:
    store.settings.save(alice.token, PriceSettings(accept_unpriced_models=True), 1)
    with store.database.write() as tx:
        tx.execute(delete(PriceSettingsRow))
    with pytest.raises(ModelNotPriced):
        store.pricing.admit(alice.id, "new-model")
    with store.database.read() as tx:
        assert not store.pricing.accepts_unpriced(tx, alice.id)
        assert not store.pricing.accepts_unpriced(tx, 4711)


def test_a_price_settles_every_spelling_that_was_seen(store: Store, alice: Person) -> None:
    for model in ("one", "ONE", "other"):
        with pytest.raises(ModelNotPriced):
            store.pricing.admit(alice.id, model)
    store.pricing.set(ModelPrice("One", 1, 1))
    assert [seen.model for seen in store.pricing.unpriced_models(alice.token)] == ["other"]


def test_unpriced_models_are_remembered(store: Store, alice: Person, bob: Person, clock: StillClock) -> None:
    for model in ("one", "two", "one"):
        clock.advance(seconds=1)
        with pytest.raises(ModelNotPriced):
            store.pricing.admit(alice.id, model)
    assert store.pricing.unpriced_models(alice.token) == [
        SeenModel("one", 2, START + timedelta(seconds=3)),
        SeenModel("two", 1, START + timedelta(seconds=2)),
    ]
    assert store.pricing.unpriced_models(bob.token) == []
    store.pricing.set(ModelPrice("one", 1, 1))
    assert [seen.model for seen in store.pricing.unpriced_models(alice.token)] == ["two"]


def test_invented_names_do_not_fill_the_disk(store: Store, alice: Person, clock: StillClock) -> None:
    def call(model: str) -> None:
        clock.advance(seconds=1)
        with store.database.write() as tx:
            store.pricing.note_unpriced(tx, alice.id, model)

    for number in range(200):
        call(f"invented-{number}")
    for _ in range(5):
        call("invented-7")
    seen = store.pricing.unpriced_models(alice.token)
    assert (len(seen), seen[0].model, seen[0].calls) == (200, "invented-7", 6)
    for number in range(200, 210):
        call(f"invented-{number}")
    seen = store.pricing.unpriced_models(alice.token)
    assert len(seen) == 200
    kept = {one.model for one in seen}
    assert "invented-7" in kept
    assert kept.isdisjoint({f"invented-{number}" for number in range(7)})


@pytest.mark.parametrize(
    ("prompt", "completion", "cost"),
    [(0, 0, 20), (1, 0, 22), (0, 1, 30), (1_000_000, 1_000_000, 11_250_020), (8, 0, 30)],
)
def test_a_fraction_is_rounded_up(prompt: int, completion: int, cost: int) -> None:
    assert PRICE.cost(prompt, completion) == cost


@given(
    st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9)
)
def test_a_cost_covers_what_it_stands_for(
    prompt: int, completion: int, per_in: int, per_out: int, per_request: int
) -> None:
    cost = ModelPrice("m", per_in, per_out, per_request).cost(prompt, completion)
    exact = prompt * per_in + completion * per_out
    assert 0 <= (cost - per_request) * 1_000_000 - exact < 1_000_000
