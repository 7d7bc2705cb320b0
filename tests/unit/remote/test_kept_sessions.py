"""Sessions on disk: sealed, private, and none rather than a wrong one."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from remote import kept_sessions
from remote.kept_sessions import KeptSession, KeptSessions
from remote.sessions import BearerSession, CookieSession, Credential, TokenSession
from store.errors import StoreUnavailable
from tests.harness.stores import make_ring

SERVER = "https://api.example.com"
BEARER = BearerSession(2, "sid-1", "access-secret", "refresh-secret", datetime(2026, 1, 27, 12, tzinfo=UTC))
CREDENTIALS: tuple[Credential, ...] = (
    CookieSession(2, "cookie-secret"),
    BEARER,
    TokenSession("token-secret", 2),
    TokenSession("token-secret"),
)


def folder_of(tmp_path: Path, seed: int = 7) -> KeptSessions:
    return KeptSessions(tmp_path / "remote", make_ring(seed), random.Random(1))


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_a_session_comes_back_as_it_was_kept(tmp_path: Path, credential: Credential) -> None:
    kept = KeptSession(SERVER, "alice", credential, {"language": "en"}, {"gotify_token": "t", "gotify_priority": 3})
    folder_of(tmp_path).keep(kept)
    assert folder_of(tmp_path).load(SERVER, "alice") == kept
    assert folder_of(tmp_path).load(SERVER, "bob") is None
    assert folder_of(tmp_path).load("https://other.example", "alice") is None


def test_a_file_of_an_earlier_release_has_no_channels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = kept_sessions._written

    def without_channels(session: KeptSession) -> bytes:
        whole = json.loads(written(session))
        del whole["channels"]
        return json.dumps(whole).encode()

    monkeypatch.setattr(kept_sessions, "_written", without_channels)
    folder_of(tmp_path).keep(KeptSession(SERVER, "alice", BEARER, {"language": "en"}, {"gotify_token": "t"}))
    found = folder_of(tmp_path).load(SERVER, "alice")
    assert found == KeptSession(SERVER, "alice", BEARER, {"language": "en"}, None)


def test_the_file_is_sealed_and_private_and_its_name_tells_nothing(tmp_path: Path) -> None:
    folder_of(tmp_path).keep(KeptSession(SERVER, "alice/../x", BEARER, None, {"bark_url": "channel-secret"}))
    (path,) = (tmp_path / "remote").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    content = path.read_bytes()
    assert not any(word in content for word in (b"secret", b"alice", b"example"))
    assert "alice" not in path.name


def test_under_another_key_or_altered_or_moved_it_counts_as_none(tmp_path: Path) -> None:
    kept = folder_of(tmp_path)
    kept.keep(KeptSession(SERVER, "alice", BEARER))
    kept.keep(KeptSession(SERVER, "bob", BEARER))
    assert folder_of(tmp_path, seed=8).load(SERVER, "alice") is None
    assert folder_of(tmp_path, seed=8).all() == []
    one, other = sorted((tmp_path / "remote").iterdir())
    one.write_bytes(other.read_bytes())
    assert len(kept.all()) == 1
    other.write_bytes(b"\x01garbage")
    assert kept.all() == []


def test_all_are_listed_and_one_is_forgotten(tmp_path: Path) -> None:
    kept = folder_of(tmp_path)
    assert kept.all() == []
    for server, name in ((SERVER, "bob"), ("https://a.example", "zoe"), (SERVER, "alice")):
        kept.keep(KeptSession(server, name, BEARER))
    assert [(one.server, one.name) for one in kept.all()] == [
        ("https://a.example", "zoe"),
        (SERVER, "alice"),
        (SERVER, "bob"),
    ]
    kept.forget(SERVER, "alice")
    kept.forget(SERVER, "alice")
    assert [one.name for one in kept.all()] == ["zoe", "bob"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "remote").write_text("a file in its place")
    with pytest.raises(StoreUnavailable, match="lasts until this program ends"):
        folder_of(tmp_path).keep(KeptSession(SERVER, "alice", BEARER))
    assert (tmp_path / "remote").read_text() == "a file in its place"


def test_a_session_is_locked_for_one_at_a_time(tmp_path: Path) -> None:
    with (
        folder_of(tmp_path).locked(SERVER, "alice") as first,
        folder_of(tmp_path).locked(SERVER, "alice") as second,
        folder_of(tmp_path).locked(SERVER, "bob") as other,
    ):
        assert (first, second, other) == (True, False, True)
    with folder_of(tmp_path).locked(SERVER, "alice") as again:
        assert again


def test_nothing_shows_what_is_kept() -> None:
    for credential in CREDENTIALS:
        assert "secret" not in repr(KeptSession(SERVER, "alice", credential, {"a": "secret"}, {"b": "secret"}))
