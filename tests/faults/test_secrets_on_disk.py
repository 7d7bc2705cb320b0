"""After everything was done, no file holds a secret; and after an account is gone, none holds a byte of it."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from store import schema
from store.database import Database
from store.errors import NotAuthentic
from store.models import SCHEMA_REVISION
from store.store import Store
from tests.faults.populated_store import CALL, Household, move_in, open_house
from tests.faults.secret_search import decoded, digest_of, forms, hits
from tests.harness.stores import StillClock, make_store, sqlite_url


@dataclass(frozen=True)
class House:
    """A store on disk where two people live, with its log and a backup beside it."""

    store: Store
    folder: Path
    database: Path
    alice: Household
    bob: Household
    secrets: dict[str, str | bytes]

    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = StillClock()
    url = sqlite_url(tmp_path)
    database = Path(url.removeprefix("sqlite:///"))
    handler = logging.FileHandler(tmp_path / "program.log")
    root = logging.getLogger()
    level = root.level
    with ExitStack() as stack:
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        stack.callback(handler.close)
        stack.callback(root.setLevel, level)
        stack.callback(root.removeHandler, handler)
        store = stack.enter_context(make_store(url, clock=clock))
        planted = open_house(store)
        alice, bob = move_in(store, clock, "alice"), move_in(store, clock, "bob")
        planted |= {f"{who.name}: {name}": secret for who in (alice, bob) for name, secret in who.secrets.items()}
        secrets = {
            f"{full}|{part}": value
            for full, secret in planted.items()
            for part, value in decoded(full.rpartition(": ")[2], secret).items()
        }
        backups = tmp_path / "backups"
        backups.mkdir(mode=0o700)
        assert schema.back_up(store.database, backups, clock.now()) is not None
        yield House(store, tmp_path, database, alice, bob, secrets)


def test_no_file_holds_a_secret(house: House) -> None:
    for wrong in ("not the password", "another wrong one"):
        with pytest.raises(NotAuthentic):
            house.store.sign_in.with_password("alice", wrong, source="alice/2")
    while_open = house.files()
    assert {path.suffix for path in while_open} >= {".sqlite3", ".sqlite3-wal", ".sqlite3-shm", ".log"}
    found = hits(while_open, house.secrets)
    house.store.database.checkpoint()
    found += hits(house.files(), house.secrets)
    house.store.close()
    found += hits(house.files(), house.secrets)
    count = sum(len(forms(secret)) for secret in house.secrets.values())
    print(f"BAR R1 {len(house.secrets)} secrets in {count} forms, {len(while_open)} files, 3 times: {len(found)} hits")
    assert found == []


def test_the_search_finds_what_is_there(house: House) -> None:
    """The control: what is stored on purpose is found, so the search above can fail."""
    planted: dict[str, str | bytes] = {
        "name": house.alice.name,
        "e-mail": house.alice.email,
        "digest": digest_of(house.alice.secrets["token"]),
    }
    found = hits(house.files(), planted)
    for name in planted:
        assert any(hit.startswith(f"{name} as raw") and "sqlite3" in hit for hit in found), name


def remains_of(person: Household) -> dict[str, str | bytes]:
    """Values of this account alone: names, addresses, and the digests of its tokens."""
    kept: dict[str, str | bytes] = {
        "name": f"{person.name}'s",
        "e-mail": person.email,
        "subject": f"subject of {person.name}",
        "display": f"{person.name} elsewhere",
        "place": f"{person.name}/0",
        "model": f"a model of {person.name}",
    }
    kept |= {f"digest of {name}": digest_of(secret) for name, secret in person.secrets.items()}
    return kept


def test_a_deleted_person_leaves_no_byte(house: House) -> None:
    private = house.database.parent
    bystander = remains_of(house.bob)
    gone = remains_of(house.alice) | {"name": "alice"}
    digests = [name for name in gone if name.startswith("digest")]
    before = hits(private.iterdir(), gone)
    assert any("e-mail" in hit for hit in before)
    assert any("digest of token" in hit for hit in before)
    result = house.store.deletion.delete(house.alice.token, "alice")
    assert result.is_off_disk
    found = hits(private.iterdir(), gone)
    house.store.close()
    found += hits(private.iterdir(), gone)
    print(f"BAR H3 {len(gone)} traces of a deleted person ({len(digests)} digests): {len(found)} hits")
    assert found == []
    assert any("e-mail" in hit for hit in hits(private.iterdir(), bystander)), "somebody else was deleted, too"


def test_addresses_are_erased_from_the_disk(house: House) -> None:
    private = house.database.parent
    address: dict[str, str | bytes] = {"client address": str(CALL.client_ip)}
    assert hits(private.iterdir(), address)
    for person in (house.alice, house.bob):
        assert house.store.usage.erase_ips(person.token) > 0
    assert hits(private.iterdir(), address) == []


def test_a_backup_is_private(house: House) -> None:
    (copy,) = (house.folder / "backups").iterdir()
    assert copy.stat().st_mode & 0o777 == 0o600
    with_data = Database(f"sqlite:///{copy}")
    with with_data.read() as tx:
        assert schema.revision(tx) == SCHEMA_REVISION
    with_data.close()
