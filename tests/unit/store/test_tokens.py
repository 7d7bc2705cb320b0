"""The shape of bearer tokens: found by a scanner, and refused on sight when mistyped."""

import random
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.tokens import (
    ACCESS_TOKEN_PATTERN,
    ACCESS_TOKEN_PREFIX,
    ALPHABET,
    API_KEY_PREFIX,
    CHECKSUM_LENGTH,
    checksum,
    generate,
    is_well_formed,
)

PREFIXES = (ACCESS_TOKEN_PREFIX, API_KEY_PREFIX)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_token_is_well_formed_for_its_own_prefix_alone(prefix: str) -> None:
    token = generate(prefix, random.Random(1))
    assert len(token) == len(prefix) + 32 + 6
    assert [is_well_formed(token, other) for other in PREFIXES] == [other == prefix for other in PREFIXES]


def test_a_scanner_finds_ours_and_no_others() -> None:
    rng, count = random.Random(2), 10_000
    ours = [generate(ACCESS_TOKEN_PREFIX, rng) for _ in range(count)]
    words = ["".join(rng.choices(string.ascii_letters + string.digits, k=42)) for _ in range(count)]
    pattern = re.compile(rf"\b{ACCESS_TOKEN_PATTERN}\b")
    found = sum(pattern.search(f"Authorization: Bearer {token}\n") is not None for token in ours)
    wrongly = sum(pattern.search(word) is not None for word in words)
    print(f"scanner: {found} of {count} ours found, {wrongly} of {count} random words")
    assert (found, wrongly, len(set(ours))) == (count, 0, count)


def test_a_random_token_does_not_pass() -> None:
    rng, count = random.Random(3), 10_000
    made_up = (ACCESS_TOKEN_PREFIX + "".join(rng.choices(ALPHABET, k=38)) for _ in range(count))
    passed = sum(is_well_formed(token, ACCESS_TOKEN_PREFIX) for token in made_up)
    print(f"random tokens with a right checksum: {passed} of {count}")
    assert passed == 0


@given(seed=st.integers(), place=st.integers(0, 40), symbol=st.sampled_from(ALPHABET + "-_ é\x00"))
def test_any_single_slip_is_noticed(seed: int, place: int, symbol: str) -> None:
    token = generate(ACCESS_TOKEN_PREFIX, random.Random(seed))
    slipped = token[:place] + symbol + token[place + 1 :]
    assert is_well_formed(slipped, ACCESS_TOKEN_PREFIX) == (slipped == token)


@given(st.text(max_size=60))
def test_no_text_breaks_the_check(text: str) -> None:
    assert not is_well_formed(text, ACCESS_TOKEN_PREFIX)
    assert not is_well_formed(ACCESS_TOKEN_PREFIX + text, ACCESS_TOKEN_PREFIX)


@given(st.text(alphabet=ALPHABET + "_-", max_size=60))
def test_a_checksum_is_six_symbols(body: str) -> None:
    check = checksum(body)
    assert len(check) == CHECKSUM_LENGTH
    assert set(check) <= set(ALPHABET)


def test_the_checksum_is_crc_32_in_base62() -> None:
    value = 0
    for symbol in checksum("123456789"):
        value = value * 62 + ALPHABET.index(symbol)
    assert value == 0xCBF43926  # the check value of CRC-32/ISO-HDLC
