"""The URI of an enrolment is shortened in the name of the account, and in nothing else."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from store.totp import provisioning_uri
from store.values.two_factor import Enrolment

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NAMES = ["alice", "a" * 64, "张伟明华", "𠀀𠀁𠀂𠀃", "محمدعليحسن", "a+b@example.com", "👩‍🚀👩‍🚀"]


def enrolment(name: str) -> Enrolment:
    return Enrolment(SECRET, provisioning_uri(SECRET, name), (), datetime(2026, 11, 26, tzinfo=UTC))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("limit", [92, 106, 134, 154, 271])
def test_a_uri_within_a_limit_keeps_the_secret_and_the_beginning_of_the_name(name: str, limit: int) -> None:
    uri = enrolment(name).uri_within(limit)
    assert uri is not None
    assert len(uri.encode()) <= limit
    issuer, _, label = unquote(urlsplit(uri).path).lstrip("/").partition(":")
    assert issuer == "Gatekey"
    assert parse_qs(urlsplit(uri).query) == {"secret": [SECRET], "issuer": ["Gatekey"]}
    assert label == name or (label.endswith("..") and name.startswith(label.removesuffix("..")))


def test_a_name_that_fits_is_whole() -> None:
    whole = enrolment("alice").uri
    assert enrolment("alice").uri_within(len(whole)) == whole


def test_as_much_of_a_name_is_kept_as_there_is_room_for() -> None:
    uri = enrolment("张伟明华").uri_within(106)
    assert uri is not None
    assert unquote(uri).startswith("otpauth://totp/Gatekey:张伟..?")


def test_a_limit_without_room_for_the_secret_gives_none() -> None:
    assert enrolment("alice").uri_within(80) is None
    assert enrolment("a").uri_within(len(enrolment("a").uri)) == enrolment("a").shortest_uri
