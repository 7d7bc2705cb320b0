"""The place of the data is told without credentials, and before anything is opened."""

from pathlib import Path

import pytest

from tui.data_place import MAX_PLACE_CHARS, is_absent, place
from tui.store_location import DATABASE_VARIABLE, Options


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    return tmp_path


def test_the_default_is_a_folder_below_the_home(home: Path) -> None:
    assert place(Options(), {}) == "~/.local/share/gatekey"
    assert is_absent(Options(), {})
    (home / ".local/share/gatekey").mkdir(parents=True)
    (home / ".local/share/gatekey/gatekey.sqlite3").touch()
    assert not is_absent(Options(), {})


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("~/data/g.sqlite3", "~/data/g.sqlite3"),
        ("sqlite:////srv/gatekey/g.sqlite3?timeout=3", "/srv/gatekey/g.sqlite3"),
        ("sqlite://", "in memory"),
        (
            "postgresql+psycopg://me:secret@db.example.org:5433/gatekey?password=x",
            "postgresql://db.example.org:5433/gatekey",
        ),
        ("postgresql+psycopg://me:secret@db:port/gatekey", "a database server"),
        ("postgresql:///gatekey?host=/run", "postgresql:///gatekey"),
    ],
)
@pytest.mark.usefixtures("home")
def test_a_place_has_no_user_and_no_password(said: str, shown: str) -> None:
    assert place(Options(database=said), {}) == shown
    assert place(Options(), {DATABASE_VARIABLE: said}) == shown


@pytest.mark.usefixtures("home")
def test_a_long_path_shows_its_end() -> None:
    shown = place(Options(database=f"/srv/{'deep/' * 20}g.sqlite3"), {})
    assert shown.startswith("…")
    assert shown.endswith("/deep/g.sqlite3")
    assert len(shown) == MAX_PLACE_CHARS


@pytest.mark.parametrize("said", ["sqlite://", "postgresql+psycopg://db/gatekey"])
def test_what_is_no_file_is_not_known_to_be_absent(said: str) -> None:
    assert not is_absent(Options(database=said), {})


def test_a_demo_is_never_absent() -> None:
    assert not is_absent(Options(demo=True), {})
    assert place(Options(demo=True), {}) == "demo, in memory"
