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
from store.revisions import schema_revision
from store.store import Store
from tests.faults.populated_store import CALL, PopulatedAccount, enable_everything, populate_account
from tests.faults.secret_search import decoded, digest_of, forms, hits
from tests.harness.stores import StillClock, make_store, sqlite_url


@dataclass(frozen=True)
class StoreOnDisk:
    """A store on disk where two people live, with its log and a backup beside it."""

    store: Store
    folder: Path
    database: Path
    alice: PopulatedAccount
    bob: PopulatedAccount
    secrets: dict[str, str | bytes]

    def files(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[StoreOnDisk]:
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
        planted = enable_everything(store)
        alice, bob = populate_account(store, clock, "alice"), populate_account(store, clock, "bob")
        planted |= {f"{who.name}: {name}": secret for who in (alice, bob) for name, secret in who.secrets.items()}
        secrets = {
            f"{full}|{part}": value
            for full, secret in planted.items()
            for part, value in decoded(full.rpartition(": ")[2], secret).items()
        }
        backups = tmp_path / "backups"
        backups.mkdir(mode=0o700)
        assert schema.back_up(store.database, backups, clock.now()) is not None
        yield StoreOnDisk(store, tmp_path, database, alice, bob, secrets)


def test_no_file_holds_a_secret(on_disk: StoreOnDisk) -> None:
    for wrong in ("not the password", "another wrong one"):
        with pytest.raises(NotAuthentic):
            on_disk.store.sign_in.with_password("alice", wrong, source="alice/2")
    while_open = on_disk.files()
    assert {path.suffix for path in while_open} >= {".sqlite3", ".sqlite3-wal", ".sqlite3-shm", ".log"}
    found = hits(while_open, on_disk.secrets)
    on_disk.store.database.checkpoint()
    found += hits(on_disk.files(), on_disk.secrets)
    on_disk.store.close()
    found += hits(on_disk.files(), on_disk.secrets)
    count = sum(len(forms(secret)) for secret in on_disk.secrets.values())
    print(
        f"BAR R1 {len(on_disk.secrets)} secrets in {count} forms, {len(while_open)} files, 3 times: {len(found)} hits"
    )
    assert found == []


def test_the_search_finds_what_is_there(on_disk: StoreOnDisk) -> None:
    """The control: what is stored on purpose is found, so the search above can fail."""
    planted: dict[str, str | bytes] = {
        "name": on_disk.alice.name,
        "e-mail": on_disk.alice.email,
        "digest": digest_of(on_disk.alice.secrets["token"]),
    }
    found = hits(on_disk.files(), planted)
    for name in planted:
        assert any(hit.startswith(f"{name} as raw") and "sqlite3" in hit for hit in found), name


def remains_of(person: PopulatedAccount) -> dict[str, str | bytes]:
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


def test_a_deleted_person_leaves_no_byte(on_disk: StoreOnDisk) -> None:
    private = on_disk.database.parent
    bystander = remains_of(on_disk.bob)
    gone = remains_of(on_disk.alice) | {"name": "alice"}
    digests = [name for name in gone if name.startswith("digest")]
    before = hits(private.iterdir(), gone)
    assert any("e-mail" in hit for hit in before)
    assert any("digest of token" in hit for hit in before)
    result = on_disk.store.deletion.delete(on_disk.alice.token, "alice")
    assert result.is_off_disk
    found = hits(private.iterdir(), gone)
    on_disk.store.close()
    found += hits(private.iterdir(), gone)
    print(f"BAR H3 {len(gone)} traces of a deleted person ({len(digests)} digests): {len(found)} hits")
    assert found == []
    assert any("e-mail" in hit for hit in hits(private.iterdir(), bystander)), "somebody else was deleted, too"


def test_addresses_are_erased_from_the_disk(on_disk: StoreOnDisk) -> None:
    private = on_disk.database.parent
    address: dict[str, str | bytes] = {"client address": str(CALL.client_ip)}
    assert hits(private.iterdir(), address)
    for person in (on_disk.alice, on_disk.bob):
        assert on_disk.store.usage.erase_ips(person.token) > 0
    assert hits(private.iterdir(), address) == []


def test_a_backup_is_private(on_disk: StoreOnDisk) -> None:
    (copy,) = (on_disk.folder / "backups").iterdir()
    assert copy.stat().st_mode & 0o777 == 0o600
    with_data = Database(f"sqlite:///{copy}")
    with with_data.read() as tx:
        assert schema.revision(tx) == schema_revision()
    with_data.close()
