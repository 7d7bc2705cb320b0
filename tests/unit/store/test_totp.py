"""Time-based codes against the vectors of the RFCs, against another program, and against nonsense."""

import base64
import random
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import totp
from store.errors import ClockSkewed, WrongCode
from tests import parts
from tests.fakes.authenticator_app import oathtool
from tests.harness.stores import START

RFC_6238 = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}
"""Appendix B, SHA-1: seconds since the epoch, and the code of eight digits."""
RFC_4226 = ("755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489")
"""Appendix D: the codes of counters 0 to 9."""
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def code(secret: str, step: int) -> str:
    return pyotp.TOTP(secret).generate_otp(step)


def test_the_vectors_of_rfc_6238() -> None:
    matched = 0
    for seconds, eight in RFC_6238.items():
        assert totp.matching_step(RFC_SECRET, eight[-6:], at(seconds), drift_steps=0) == seconds // 30
        matched += 1
    print(f"RFC 6238 vectors: {matched} of 6")


def test_the_vectors_of_rfc_4226() -> None:
    matched = 0
    for counter, six in enumerate(RFC_4226):
        assert totp.matching_step(RFC_SECRET, six, at(counter * 30), drift_steps=0) == counter
        matched += 1
    print(f"RFC 4226 vectors: {matched} of 10")


@pytest.mark.needs(parts.OATHTOOL)
def test_what_oathtool_shows_is_accepted() -> None:
    rng, accepted = random.Random(5), 0
    for _ in range(20):
        secret, moment = totp.new_secret(rng), at(rng.randrange(2_000_000_000))
        shown = oathtool(secret, moment)
        assert totp.matching_step(secret, shown, moment, drift_steps=0) == totp.step_at(moment)
        accepted += 1
    print(f"codes of oathtool accepted: {accepted} of 20")


@pytest.mark.parametrize("seconds", [-30, 0, 30])
def test_a_code_of_a_neighbouring_step_is_accepted(seconds: int) -> None:
    step = totp.step_at(START + timedelta(seconds=seconds))
    assert totp.matching_step(RFC_SECRET, code(RFC_SECRET, step), START) == step


@pytest.mark.parametrize("seconds", [-300, -270, -60, 60, 90, 300])
def test_a_code_further_away_names_the_skew(seconds: int) -> None:
    shown = code(RFC_SECRET, totp.step_at(START + timedelta(seconds=seconds)))
    with pytest.raises(ClockSkewed) as caught:
        totp.matching_step(RFC_SECRET, shown, START)
    assert caught.value.seconds == seconds
    assert f"about {abs(seconds)} seconds {'ahead of' if seconds > 0 else 'behind'}" in str(caught.value)


def test_without_drift_only_now_counts() -> None:
    step = totp.step_at(START)
    assert totp.matching_step(RFC_SECRET, code(RFC_SECRET, step), START, 0) == step
    for distance in (-1, 1):
        with pytest.raises(ClockSkewed):
            totp.matching_step(RFC_SECRET, code(RFC_SECRET, step + distance), START, 0)


@pytest.mark.parametrize("seconds", [-330, 330, 86_400])
def test_a_code_far_away_is_wrong(seconds: int) -> None:
    shown = code(RFC_SECRET, totp.step_at(START + timedelta(seconds=seconds)))
    with pytest.raises(WrongCode) as caught:
        totp.matching_step(RFC_SECRET, shown, START)
    assert caught.value.field == "code"


def test_the_beginning_of_time_has_no_earlier_steps() -> None:
    assert totp.matching_step(RFC_SECRET, RFC_4226[0], at(0)) == 0
    with pytest.raises(WrongCode):
        totp.matching_step(RFC_SECRET, "000000", at(0))


@pytest.mark.parametrize("form", ["{}{}", " {}{} ", "{} {}", "{}-{}", "- {} - {} -"])
def test_spaces_and_dashes_are_forgiven(form: str) -> None:
    shown = code(RFC_SECRET, totp.step_at(START))
    assert totp.matching_step(RFC_SECRET, form.format(shown[:3], shown[3:]), START) == totp.step_at(START)


def foreign_digits(text: str) -> list[str]:
    return [text.translate({ord("0") + i: start + i for i in range(10)}) for start in (0x660, 0x6F0, 0x966, 0xFF10)]


def test_only_ascii_digits_are_digits() -> None:
    for typed in foreign_digits(code(RFC_SECRET, totp.step_at(START))):
        assert typed.isdigit()
        with pytest.raises(WrongCode):
            totp.matching_step(RFC_SECRET, typed, START)


def test_no_nonsense_is_a_code() -> None:
    rng, right = random.Random(11), {code(RFC_SECRET, totp.step_at(START) + step) for step in range(-10, 11)}
    alphabets = (
        "0123456789",
        "0123456789 -",
        "٠١٢٣٤٥٦٧٨٩",
        "０１２３４５６７８９",
        "\x00\n\t\ud800é🔑",
        "abXYZ+.e",
    )
    tried = accepted = 0
    while tried < 10_000:
        typed = "".join(rng.choice(rng.choice(alphabets)) for _ in range(rng.choice((0, 1, 5, 6, 6, 7, 8, 40))))
        if totp.strip(typed) in right:
            continue
        tried += 1
        try:
            totp.matching_step(RFC_SECRET, typed, START)
            accepted += 1
        except WrongCode:
            pass
    print(f"strings that are no code: {accepted} of {tried} accepted")
    assert accepted == 0


def test_a_secret_is_160_random_bits() -> None:
    rng = random.Random(1)
    secrets = {totp.new_secret(rng) for _ in range(1000)}
    assert len(secrets) == 1000
    assert {len(base64.b32decode(secret)) for secret in secrets} == {20}


def test_spaces_and_dashes_between_groups_are_left_out() -> None:
    typed = "JBSW Y3DP-EHPK 3PXP"
    assert totp.strip(typed) == "JBSWY3DPEHPK3PXP"


@given(name=st.text(min_size=1, max_size=64).filter(lambda text: text.isprintable()), seed=st.integers(0, 2**32))
def test_the_address_reads_back_field_for_field(name: str, seed: int) -> None:
    secret = totp.new_secret(random.Random(seed))
    uri = totp.provisioning_uri(secret, name)
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("otpauth", "totp", "")
    assert unquote(parts.path) == f"/{totp.ISSUER}:{name}"
    fields = parse_qs(parts.query, strict_parsing=True)
    assert fields["secret"] == [secret]
    assert fields["issuer"] == [totp.ISSUER]
    assert {key: fields[key] for key in fields.keys() - {"secret", "issuer"}} == {}
    parsed = pyotp.parse_uri(uri)
    assert isinstance(parsed, pyotp.TOTP)
    assert (parsed.secret, parsed.issuer, parsed.digits, parsed.interval) == (secret, totp.ISSUER, 6, 30)
    assert parsed.name == name or ":" in name
