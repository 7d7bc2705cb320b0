"""Money: whole micro-USD, read strictly, shown never above what is there."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import InvalidMoney
from store.money import MAXIMUM_MICRO_USD, MICRO_PER_USD, parse_usd, show_amount, show_usd, type_usd

AMOUNTS = st.integers(0, MAXIMUM_MICRO_USD)


@pytest.mark.parametrize(
    ("text", "micro_usd"),
    [
        ("0", 0),
        ("1", 1_000_000),
        ("1.0", 1_000_000),
        ("1.00", 1_000_000),
        ("$1.00", 1_000_000),
        (" 0.01 ", 10_000),
        ("0007.50", 7_500_000),
        ("1000000000", MAXIMUM_MICRO_USD),
    ],
)
def test_dollars_are_read(text: str, micro_usd: int) -> None:
    assert parse_usd(text) == micro_usd


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "$",
        "1.",
        ".5",
        "1.000",
        "1.234",
        "-0",
        "-1",
        "+1",
        "1e3",
        "1e999",
        "inf",
        "nan",
        "0x10",
        "1_000",
        "1,000",
        "1,50",
        "1 000",
        "1$",
        "$$1",
        "1\n",
        "1\x00",
        "\ud800",
        "١",
        "１.００",
        "½",
        "€1",
        "1000000000.01",
        "9" * 10,
        "9" * 11,
        "9" * 10_000,
    ],
    ids=lambda text: ascii(text[:14]),
)
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(InvalidMoney) as caught:
        parse_usd(text, field="quota")
    assert caught.value.field == "quota"


@pytest.mark.parametrize(("places", "word"), [(2, "two"), (3, "three"), (4, "four"), (5, "five"), (6, "six")])
def test_the_places_are_counted(places: int, word: str) -> None:
    assert parse_usd("1." + "5" * places, places=places) == int(Decimal("1." + "5" * places) * MICRO_PER_USD)
    with pytest.raises(InvalidMoney, match=f"up to {word} decimals"):
        parse_usd("1." + "5" * (places + 1), places=places)


@pytest.mark.parametrize(
    ("micro_usd", "shown", "exact"),
    [
        (0, "$0.00", "$0.00"),
        (1, "$0.00", "$0.000001"),
        (9_999, "$0.00", "$0.009999"),
        (4_200_000, "$4.20", "$4.20"),
        (4_209_999, "$4.20", "$4.209999"),
        (1_234_567_890_000, "$1,234,567.89", "$1,234,567.89"),
        (-4_209_999, "-$4.20", "-$4.209999"),
        (MAXIMUM_MICRO_USD, "$1,000,000,000.00", "$1,000,000,000.00"),
    ],
)
def test_dollars_are_shown(micro_usd: int, shown: str, exact: str) -> None:
    assert (show_usd(micro_usd), show_usd(micro_usd, exact=True)) == (shown, exact)


@given(AMOUNTS)
def test_what_is_typed_for_an_amount_reads_back(micro_usd: int) -> None:
    assert parse_usd(type_usd(micro_usd), places=6) == micro_usd


@given(AMOUNTS)
def test_what_is_shown_is_never_more_than_there_is(micro_usd: int) -> None:
    shown = Decimal(show_usd(micro_usd).strip("$").replace(",", "")) * MICRO_PER_USD
    exact = Decimal(show_usd(micro_usd, exact=True).strip("$").replace(",", "")) * MICRO_PER_USD
    assert exact == micro_usd
    assert 0 <= micro_usd - shown < 10_000


@given(st.text(max_size=20))
def test_no_text_is_read_as_something_else(text: str) -> None:
    try:
        micro_usd = parse_usd(text, places=6)
    except InvalidMoney:
        return
    assert micro_usd == Decimal(text.strip(" ").removeprefix("$")) * MICRO_PER_USD
    assert 0 <= micro_usd <= MAXIMUM_MICRO_USD


@pytest.mark.parametrize(
    ("micro_usd", "plain", "signed", "typed"),
    [
        (0, "0.000000", "0.000000", "0.00"),
        (1, "0.000001", "+0.000001", "0.000001"),
        (-22_191, "-0.022191", "-0.022191", "-0.022191"),
        (-5_000_000, "-5.000000", "-5.000000", "-5.00"),
        (1_234_500_000, "1,234.500000", "+1,234.500000", "1234.50"),
    ],
)
def test_amounts_of_a_column_have_all_decimals(micro_usd: int, plain: str, signed: str, typed: str) -> None:
    assert (show_amount(micro_usd), show_amount(micro_usd, signed=True), type_usd(micro_usd)) == (plain, signed, typed)
