"""Secrets at rest: sealed to their place under a key that lies in a private file of its own."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.at_rest import KEY_BYTES, KeyRing
from store.errors import KeyExposed, KeyMissing, KeyWrong
from store.key_file import create_key_file, load_key_file
from tests.harness.stores import make_ring

PLACE = "two_factor:secret:7"


def seal(ring: KeyRing, text: str = "planted secret", place: str = PLACE, seed: int = 1) -> bytes:
    return ring.seal(text, place, random.Random(seed))


# -- sealing ----------------------------------------------------------------------------------------------------


@given(text=st.text(max_size=200), place=st.text(max_size=50), seed=st.integers())
def test_what_is_sealed_opens_in_its_place(text: str, place: str, seed: int) -> None:
    ring = make_ring()
    sealed = ring.seal(text, place, random.Random(seed))
    assert ring.open(sealed, place) == text
    assert len(sealed) == 1 + 12 + len(text.encode()) + 16
    with pytest.raises(KeyWrong):
        ring.open(sealed, place + "x")


def test_nothing_of_the_secret_shows() -> None:
    sealed = seal(make_ring())
    assert b"planted" not in sealed
    assert seal(make_ring(), seed=2) != sealed
    assert "key" not in repr(make_ring()).replace("KeyRing", "")


def test_every_flipped_bit_is_noticed() -> None:
    ring, sealed, opened = make_ring(), seal(make_ring()), 0
    for bit in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(KeyWrong):
            ring.open(bytes(flipped), PLACE)
    print(f"altered values opened: {opened} of {len(sealed) * 8}")


@pytest.mark.parametrize("place", ["two_factor:secret:8", "two_factor_setups:secret:7", "", "two_factor:secret:77"])
def test_a_moved_value_does_not_open(place: str) -> None:
    with pytest.raises(KeyWrong, match="could not be opened"):
        make_ring().open(seal(make_ring()), place)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01short", b"\x02" + b"x" * 60, bytes(60)])
def test_what_was_never_sealed_does_not_open(sealed: bytes) -> None:
    with pytest.raises(KeyWrong):
        make_ring().open(sealed, PLACE)


def test_another_key_does_not_open() -> None:
    with pytest.raises(KeyWrong):
        make_ring(8).open(seal(make_ring(7)), PLACE)


def test_nonces_do_not_repeat() -> None:
    ring, rng = make_ring(), random.SystemRandom()
    nonces = {ring.seal("x", PLACE, rng)[1:13] for _ in range(2000)}
    print(f"nonces repeated: {2000 - len(nonces)} of 2000")
    assert len(nonces) == 2000


def test_old_keys_still_open_and_the_newest_seals() -> None:
    old = make_ring(1)
    both = KeyRing(2, {**old.keys, 2: bytes(KEY_BYTES)})
    assert both.open(seal(old), PLACE) == "planted secret"
    assert seal(both)[0] == 2
    with pytest.raises(KeyWrong):
        old.open(seal(both), PLACE)
    assert both.mac("audit", b"x") == old.mac("audit", b"x"), "a chain must outlive a new key"


def test_each_purpose_has_a_key_of_its_own() -> None:
    ring = make_ring()
    assert len({ring.mac(purpose, b"x") for purpose in ("audit", "throttle", "seal")}) == 3
    assert ring.mac("audit", b"x") != ring.mac("audit", b"y")


# -- the text of a ring -----------------------------------------------------------------------------------------


@given(
    st.dictionaries(st.integers(1, 255), st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES), min_size=1, max_size=5),
    st.data(),
)
def test_a_ring_reads_back(keys: dict[int, bytes], data: st.DataObject) -> None:
    ring = KeyRing(data.draw(st.sampled_from(sorted(keys))), keys)
    assert KeyRing.parse(ring.serialise()) == ring
    assert KeyRing.parse("\n\n" + ring.serialise().replace("\n", "\r\n\n")) == ring


GOOD_LINE = "gatekey-key 1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n \n",
        "hello",
        "gatekey-key",
        "gatekey-key 1",
        GOOD_LINE + " more",
        GOOD_LINE.replace("gatekey-key", "other-key"),
        GOOD_LINE.replace(" 1 ", " 0 "),
        GOOD_LINE.replace(" 1 ", " 256 "),
        GOOD_LINE.replace(" 1 ", " -1 "),
        GOOD_LINE.replace(" 1 ", " x "),
        GOOD_LINE.replace(" 1 ", " ١ "),
        GOOD_LINE.replace(" 1 ", " ² "),
        GOOD_LINE.replace("AAAA", "AA", 1),
        GOOD_LINE.replace("AAAA", "A!AA", 1),
        GOOD_LINE.replace("AAAA", "Aé", 1),
        GOOD_LINE.replace("A=", ""),
        GOOD_LINE + "\n" + GOOD_LINE,
        GOOD_LINE + "\nrubbish",
    ],
    ids=ascii,
)
def test_anything_else_is_no_key(text: str) -> None:
    with pytest.raises(KeyWrong) as caught:
        KeyRing.parse(text)
    assert "AAAA" not in str(caught.value)


# -- the key file -----------------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "private" / "key"


def test_a_key_file_is_private_and_reads_back(path: Path) -> None:
    old = os.umask(0)
    try:
        ring = create_key_file(path, random.Random(1))
    finally:
        os.umask(old)
    assert load_key_file(path) == ring
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["key"]


def test_a_key_file_is_never_overwritten(path: Path) -> None:
    ring = create_key_file(path, random.Random(1))
    with pytest.raises(KeyMissing, match="could not be created"):
        create_key_file(path, random.Random(2))
    assert load_key_file(path) == ring
    assert [one.name for one in path.parent.iterdir()] == ["key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o777, 0o610])
def test_a_key_file_others_can_open_is_refused(path: Path, mode: int) -> None:
    create_key_file(path, random.Random(1))
    path.chmod(mode)
    with pytest.raises(KeyExposed):
        load_key_file(path)


def nothing(path: Path) -> None:
    """Leave it missing."""


def link(path: Path) -> None:
    real = path.with_name("real")
    create_key_file(real, random.Random(1))
    path.symlink_to(real)


def pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize("make", [nothing, link, Path.mkdir, pipe])
def test_what_is_no_file_is_no_key(path: Path, make: Callable[[Path], object]) -> None:
    path.parent.mkdir(parents=True, mode=0o700)
    make(path)
    with pytest.raises(KeyMissing, match="Point --key-file at it"):
        load_key_file(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"gatekey-key 1 x", b"\x00" * 100_000])
def test_a_file_of_something_else_is_refused(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyWrong):
        load_key_file(path)


def test_a_place_that_cannot_hold_a_key_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(KeyMissing, match="could not be created"):
        create_key_file(tmp_path / "file" / "key", random.Random(1))
