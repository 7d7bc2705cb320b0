"""What is typed into the form of an API key, and what is shown there of a key that exists."""

from datetime import UTC, datetime, timedelta

import pytest

from store.errors import GatekeyError, InvalidExpiry, InvalidModel, InvalidMoney, InvalidNetwork, InvalidNumber
from store.key_limit_texts import (
    limit_texts,
    parse_expiry,
    parse_models,
    parse_networks,
    parse_overlap,
    parse_rate,
    parse_spend_limit,
)
from store.values.api_keys import ApiKeyLimits
from tests.harness.stores import START


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", None),
        ("  ", None),
        ("1", START + timedelta(days=1)),
        ("30 days", START + timedelta(days=30)),
        ("3650d", START + timedelta(days=3650)),
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ("2027-01-31 13:45", datetime(2027, 1, 31, 13, 45, tzinfo=UTC)),
        ("2027-01-31T13:45:00Z", datetime(2027, 1, 31, 13, 45, tzinfo=UTC)),
    ],
)
def test_an_expiry_is_days_or_a_date_in_utc(text: str, at: datetime | None) -> None:
    assert parse_expiry(text, START) == at


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("0", InvalidNumber),
        ("3651", InvalidNumber),
        ("soon", InvalidNumber),
        ("-1", InvalidNumber),
        ("٣", InvalidNumber),
        ("2027-02-30", InvalidExpiry),
        ("2027-01-31 25:00", InvalidExpiry),
        ("2001-01-31", InvalidExpiry),
    ],
)
def test_another_expiry_is_refused(text: str, error: type[GatekeyError]) -> None:
    with pytest.raises(error) as refused:
        parse_expiry(text, START)
    assert refused.value.field == "api-key-expiry"


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("", 0), ("0", 0), ("30", 30), ("30m", 30), ("30 min", 30), ("1 hour", 60), ("12h", 720), ("7 days", 10_080)],
)
def test_an_overlap_has_a_unit(text: str, minutes: int) -> None:
    assert parse_overlap(text) == minutes


@pytest.mark.parametrize("text", ["8d", "10081", "-1", "soon", "1w", "1.5h", "9999999"])
def test_another_overlap_is_refused(text: str) -> None:
    with pytest.raises(InvalidNumber) as refused:
        parse_overlap(text)
    assert refused.value.field == "api-key-overlap"


def test_models_are_parted_by_commas_and_networks_by_spaces_too() -> None:
    assert parse_models(" gpt-5, deepseek chat ,,GPT-5") == ("GPT-5", "deepseek chat")
    assert parse_networks("10.0.0.0/24, 2001:DB8::/32  192.0.2.1") == ("10.0.0.0/24", "2001:db8::/32", "192.0.2.1/32")
    assert [parse_models(" , "), parse_networks(" , "), parse_rate(" "), parse_spend_limit("")] == [None] * 4
    assert (parse_rate("60"), parse_spend_limit("2.50")) == (60, 2_500_000)


def test_what_is_refused_names_its_field() -> None:
    for parse, text, error, field in (
        (parse_models, "g\x1bpt", InvalidModel, "api-key-models"),
        (parse_networks, "example.com", InvalidNetwork, "api-key-networks"),
        (parse_rate, "0", InvalidNumber, "api-key-rate"),
        (parse_spend_limit, "0", InvalidMoney, "api-key-limit"),
    ):
        with pytest.raises(error) as refused:
            parse(text)
        assert refused.value.field == field


def test_what_is_shown_is_read_again() -> None:
    limits = ApiKeyLimits(
        expires_at=START + timedelta(days=40),
        spend_limit_micro_usd=2_500_000,
        allowed_models=("gpt-5", "deepseek chat"),
        allowed_networks=("10.0.0.0/24", "2001:db8::/32"),
        requests_per_minute=60,
    )
    texts = limit_texts(limits)
    assert parse_expiry(texts["api-key-expiry"], START) == limits.expires_at
    assert parse_spend_limit(texts["api-key-limit"]) == limits.spend_limit_micro_usd
    assert parse_models(texts["api-key-models"]) == limits.allowed_models
    assert parse_networks(texts["api-key-networks"]) == limits.allowed_networks
    assert parse_rate(texts["api-key-rate"]) == limits.requests_per_minute
    assert set(limit_texts(ApiKeyLimits()).values()) == {""}
