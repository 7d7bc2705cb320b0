"""Money and quota, without a float."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.quota_units import micro_usd_of, quota_at_least, quota_at_most, threshold_micro_usd
from store.money import MAXIMUM_MICRO_USD

USUAL = Decimal(500_000)


@pytest.mark.parametrize(
    ("quota", "micro_usd"),
    [(0, 0), (1, 2), (500_000, 1_000_000), (2_500_000, 5_000_000), (-1, -2), (Decimal("0.5"), 1), (Decimal("0.4"), 0)],
)
def test_the_usual_unit_is_two_micro_dollars(quota: int | Decimal, micro_usd: int) -> None:
    assert micro_usd_of(quota, USUAL) == micro_usd


def test_an_odd_unit_is_rounded_to_the_safe_side() -> None:
    unit = Decimal(333_333)
    assert micro_usd_of(1, unit) == 3
    assert quota_at_least(1_000_000, unit) == 333_333
    assert quota_at_least(1, unit) == 1
    assert quota_at_most(1, unit) == 0


@pytest.mark.parametrize("quota", [Decimal("1e300"), Decimal("1e999999"), Decimal(10**30)])
def test_a_threshold_beyond_all_money_is_the_most_that_a_form_holds(quota: Decimal) -> None:
    assert threshold_micro_usd(quota, USUAL) == MAXIMUM_MICRO_USD


def test_a_threshold_below_nothing_is_nothing() -> None:
    assert threshold_micro_usd(Decimal(-5), USUAL) == 0
    assert threshold_micro_usd(Decimal("1e-999999"), USUAL) == 0


UNITS = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(10**9), places=2)


@given(st.integers(0, MAXIMUM_MICRO_USD), UNITS)
def test_both_ways_enclose_the_amount(micro_usd: int, unit: Decimal) -> None:
    below, above = quota_at_most(micro_usd, unit), quota_at_least(micro_usd, unit)
    assert below <= above <= below + 1
    assert Decimal(below) * 1_000_000 <= micro_usd * unit <= Decimal(above) * 1_000_000


@given(st.integers(0, 10**12))
def test_quota_of_the_usual_unit_comes_back_exactly(quota: int) -> None:
    assert quota_at_least(micro_usd_of(quota, USUAL), USUAL) == quota
    assert quota_at_most(micro_usd_of(quota, USUAL), USUAL) == quota
