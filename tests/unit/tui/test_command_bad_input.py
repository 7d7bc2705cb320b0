"""Bad input and bad surroundings: a typed sentence, a status that is not 0, and not one row changed."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from store import sqlite_engine
from store.text import is_sanitized
from tests.harness.command_line import Ran, Shell
from tui.store_location import Options, open_account_store

BIDI, ESCAPE, ZERO_WIDTH = "ali\u202ece", "ali\x1b[31mce", "ali\u200bce"

REFUSED = [
    # money
    *[("admin", "quota", "alice", f"{sign}{amount}") for sign in "+-=" for amount in ("1.005", "1e999", "")],
    *[("admin", "quota", "alice", f"{sign}{amount}") for sign in "+=" for amount in ("-0", "NaN", "inf", "1_000")],
    ("admin", "quota", "alice", "-0"),
    ("admin", "quota", "alice", "+0"),
    ("admin", "quota", "alice", "5"),
    ("admin", "quota", "alice", "-999"),
    ("admin", "quota", "alice", "+9999999999"),
    ("admin", "quota", "alice", "=\u0661"),
    ("settings", "--user", "alice", "set", "notifications.threshold", "1.005"),
    ("settings", "--user", "alice", "set", "notifications.threshold", "1e999"),
    ("settings", "--user", "alice", "set", "notifications.threshold", "-0"),
    ("admin", "price", "set", "m", "--input", "1e999", "--output", "1"),
    ("admin", "price", "set", "m", "--input", "1", "--output", "-0"),
    ("admin", "price", "set", "m", "--input", "0.0000001", "--output", "1"),
    # names
    *[
        ("admin", "user", "add", name, "--email", "x@example.com", "--password-stdin")
        for name in (BIDI, ESCAPE, ZERO_WIDTH, "", " ", "two words", "ALICE", "a" * 65)
    ],
    ("admin", "user", "add", "bob", "--email", "a@b;c@d", "--password-stdin"),
    ("admin", "user", "add", "bob", "--email", "b@example.com", "--quota", "1.005", "--password-stdin"),
    ("admin", "price", "set", "m\x1b[2J", "--input", "1", "--output", "1"),
    ("admin", "provider", "add", "x", "--name", BIDI, "--github", "--client-id", "id"),
    ("admin", "provider", "add", "X!", "--name", "X", "--github", "--client-id", "id"),
    ("admin", "provider", "add", "x", "--name", "X", "--issuer", "ftp://x", "--client-id", "id"),
    # nobody of that name
    ("admin", "quota", "nobody", "+5"),
    ("admin", "user", "role", "nobody", "admin"),
    ("admin", "user", "unlock", "nobody"),
    ("admin", "user", "reset-password", "nobody", "--password-stdin"),
    ("admin", "verify-audit", "nobody"),
    ("settings", "--user", "nobody", "show"),
    # settings there are not, and values they do not take
    ("settings", "--user", "alice", "set", "privacy.record_client_ip", "maybe"),
    ("settings", "--user", "alice", "set", "notifications.gotify_priority", "11"),
    ("settings", "--user", "alice", "set", "notifications.gotify_on", "true"),
    ("settings", "--user", "alice", "set", "notifications.webhook_url", "javascript:alert(1)"),
    ("settings", "--user", "alice", "set", "sidebar.hidden_modules", "playgrund"),
    ("admin", "site", "set", "smtp.port", "70000"),
    ("admin", "site", "set", "passkeys.enabled", "maybe"),
    ("admin", "site", "set", "passkeys.origin", "https://x.example/path"),
    ("admin", "site", "unset", "no.such"),
]


def assert_refused(ran: Ran) -> None:
    assert ran.status == 1, ran
    assert ran.out == ""
    lines = ran.err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("gatekey: ")
    assert lines[0].count(". ") >= 1
    assert "fault of its own" not in lines[0]
    assert is_sanitized(lines[0])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """One database for all commands that must not change it."""
    with pytest.MonkeyPatch.context() as patch:
        shell = Shell(tmp_path_factory.mktemp("made"), patch)
        shell.add("alice", "--quota", "5")
        yield shell


@pytest.mark.parametrize("arguments", REFUSED, ids=lambda arguments: ascii(" ".join(arguments)))
def test_bad_input_changes_nothing(made: Shell, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    monkeypatch.setenv("GATEKEY_DATABASE", str(made.database))
    monkeypatch.setenv("GATEKEY_KEY_FILE", str(made.key_file))
    before = made.fingerprint()
    assert_refused(made.run(*arguments, stdin="correct horse battery staple"))
    assert made.fingerprint() == before


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("settings", "--user", "alice", "set", "notifications.treshold", "1"), "notifications.threshold"),
        (("settings", "--user", "alice", "set", "sidebar.hidden_modules", "playgrund"), "playground"),
        (("admin", "site", "set", "passkey.enabled", "true"), "passkeys.enabled"),
    ],
)
def test_a_misspelt_name_is_met_with_the_right_one(shell: Shell, arguments: tuple[str, ...], meant: str) -> None:
    shell.add()
    ran = shell.run(*arguments)
    assert_refused(ran)
    assert f"Did you mean {meant}?" in ran.err


@pytest.mark.parametrize(
    "password", ["", "short", "password123", "alice@example.com", "x" * 1025, "x" * 20_000, b"\xff\xfe not utf-8"]
)
def test_a_bad_password_makes_neither_account_nor_database(shell: Shell, password: str | bytes) -> None:
    add = ("admin", "user", "add", "alice", "--email", "alice@example.com", "--password-stdin")
    assert_refused(shell.run(*add, stdin=password))
    assert not shell.database.exists()
    assert not shell.key_file.exists()


WRITES = ("admin", "quota", "alice", "+1")


def test_a_database_that_is_not_there_is_not_made(shell: Shell) -> None:
    for arguments in (WRITES, ("serve",), ("admin", "user", "list"), ("admin", "upgrade"), ("notify", "--once")):
        ran = shell.run(*arguments)
        assert_refused(ran)
        assert "no database" in ran.err
    assert not shell.database.exists()
    assert not shell.key_file.exists()


@pytest.mark.parametrize("name", ["database", "wal", "folder"])
def test_a_database_others_can_read_is_refused(shell: Shell, name: str) -> None:
    shell.add()
    before = shell.fingerprint()
    path = {"database": shell.database, "wal": Path(f"{shell.database}-wal"), "folder": shell.folder}[name]
    if name == "wal":
        path.touch()
    path.chmod(0o755 if path.is_dir() else 0o640)
    ran = shell.run(*WRITES)
    assert_refused(ran)
    assert "chmod" in ran.err
    assert shell.fingerprint() == before


def test_a_database_behind_a_link_is_refused(shell: Shell) -> None:
    shell.add()
    link = shell.folder / "link.sqlite3"
    link.symlink_to(shell.database)
    before = shell.fingerprint()
    assert_refused(shell.run(*WRITES, "--database", str(link)))
    assert shell.fingerprint() == before


def test_a_key_others_can_read_is_refused(shell: Shell) -> None:
    shell.add()
    before = shell.fingerprint()
    shell.key_file.chmod(0o644)
    ran = shell.run(*WRITES)
    assert_refused(ran)
    assert "chmod 600" in ran.err
    assert shell.fingerprint() == before


def _other_key(key_file: Path) -> None:
    key_file.write_text("gatekey-key 1 " + "A" * 43 + "=\n")


@pytest.mark.parametrize(
    "spoil",
    [
        _other_key,
        lambda key_file: key_file.write_text(""),
        lambda key_file: key_file.write_text("not a key\n"),
        lambda key_file: key_file.write_bytes(bytes(range(256))),
        lambda key_file: key_file.unlink(),
        lambda key_file: (key_file.rename(key_file.with_name("x")), key_file.symlink_to("x")),
    ],
    ids=["another", "empty", "words", "bytes", "missing", "link"],
)
def test_a_wrong_or_missing_key_changes_nothing(shell: Shell, spoil: Callable[[Path], object]) -> None:
    shell.add()
    before = shell.fingerprint()
    spoil(shell.key_file)
    for arguments in (WRITES, ("admin", "user", "add", "bob", "--email", "b@example.com", "--password-stdin")):
        ran = shell.run(*arguments, stdin="correct horse battery staple")
        assert_refused(ran)
        assert "key" in ran.err
    assert shell.fingerprint() == before


@pytest.mark.parametrize("content", [b"\x00" * 4096, b"hello, this is a letter\n" * 100, b"SQLite format 3\x00"])
def test_a_file_that_is_no_database_is_left_alone(shell: Shell, content: bytes) -> None:
    shell.folder.mkdir(mode=0o700)
    shell.database.touch(0o600)
    shell.database.write_bytes(content)
    shell.key_file.parent.mkdir()
    shell.key_file.touch(0o600)
    _other_key(shell.key_file)
    assert_refused(shell.run(*WRITES))
    assert shell.database.read_bytes() == content


def test_another_programs_database_is_left_alone(shell: Shell) -> None:
    shell.add()
    other = shell.folder / "other.sqlite3"
    other.touch(0o600)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE accounts (id INTEGER)")
        connection.commit()
    content = other.read_bytes()
    ran = shell.run(*WRITES, "--database", str(other))
    assert_refused(ran)
    assert "another program" in ran.err
    assert other.read_bytes() == content


@pytest.mark.parametrize(
    "url", ["mysql://db/gatekey", "postgresql://127.0.0.1:1/gatekey", "postgresql://h:notaport/x", "://", "sqlite:///"]
)
def test_a_url_that_leads_nowhere_is_a_sentence(shell: Shell, url: str) -> None:
    assert shell.run(*WRITES, "--database", url).status == 1
    assert "fault of its own" not in shell.run(*WRITES, "--database", url).err


def test_a_damaged_database_is_refused(shell: Shell) -> None:
    shell.add()
    with closing(sqlite3.connect(shell.database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(shell.database.read_bytes())
    content[4096 : 4096 * 8] = os.urandom(4096 * 7)
    shell.database.write_bytes(content)
    ran = shell.run(*WRITES)
    assert_refused(ran)
    assert shell.run("doctor").status == 1


def test_a_locked_database_is_busy(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.add()
    before = shell.fingerprint()
    monkeypatch.setattr(sqlite_engine, "BUSY_TIMEOUT_MS", 50)
    with closing(sqlite3.connect(shell.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ran = shell.run(*WRITES)
        other.execute("ROLLBACK")
    assert_refused(ran)
    assert "busy" in ran.err
    assert shell.fingerprint() == before


def test_a_full_database_keeps_what_it_has(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.add()
    with closing(sqlite3.connect(shell.database)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    monkeypatch.setattr(sqlite_engine, "PRAGMAS", (*sqlite_engine.PRAGMAS, f"PRAGMA max_page_count={pages}"))
    before, last = shell.fingerprint(), None
    for number in range(500):
        last = shell.run("admin", "price", "set", f"{'m' * 180}{number}", "--input", "1", "--output", "1")
        if last.status:
            break
        before = shell.fingerprint()
    assert last is not None
    assert_refused(last)
    assert "full" in last.err
    assert shell.fingerprint() == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB, where the system lets this user mount one."""
    point = tmp_path / "disk"
    point.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1M,mode=700", "tmpfs", str(point)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not mount a file system")
    yield point
    subprocess.run(["umount", str(point)], check=True)


def _writes(handle: int) -> bool:
    try:
        os.write(handle, bytes(4096))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("someone_else_is_in", [True, False])
def test_a_full_disk_keeps_what_it_has(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, *, someone_else_is_in: bool
) -> None:
    shell = Shell(small_disk, monkeypatch)
    shell.add()
    before = shell.fingerprint()
    filler = small_disk / "filler"
    with closing(sqlite3.connect(shell.database)) as other:
        if someone_else_is_in:
            other.execute("SELECT count(*) FROM accounts").fetchone()
        handle = os.open(filler, os.O_WRONLY | os.O_CREAT)
        while _writes(handle):
            pass
        os.close(handle)
        ran = shell.run(*WRITES)
        assert_refused(ran)
        assert "full" in ran.err
        filler.unlink()
    assert shell.fingerprint() == before
    assert shell.run(*WRITES).status == 0


def test_a_read_only_disk_is_said(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = Shell(small_disk, monkeypatch)
    shell.add()
    before = shell.fingerprint()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    ran = shell.run(*WRITES)
    assert_refused(ran)
    assert "read-only" in ran.err
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert shell.fingerprint() == before


def test_a_read_only_database_is_said(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.add()
    before = shell.fingerprint()
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and real(path, mode))
    ran = shell.run(*WRITES)
    assert_refused(ran)
    assert "read-only" in ran.err
    assert shell.fingerprint() == before


def test_a_first_run_without_a_place_to_write_is_a_sentence(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    add = ("admin", "user", "add", "alice", "--email", "alice@example.com", "--password-stdin")
    for more in (("--database", str(tmp_path / "file" / "db")), ("--key-file", str(tmp_path / "file" / "key"))):
        assert_refused(shell.run(*add, *more, stdin="correct horse battery staple"))


def test_python_finds_no_other_way_out(shell: Shell) -> None:
    """The real command, in a process of its own, leaves the same kind of sentence."""
    ran = subprocess.run(
        [sys.executable, "-c", "import sys; from screens.entry import main; sys.exit(main())", *WRITES],
        capture_output=True,
        text=True,
        check=False,
    )
    assert_refused(Ran(ran.returncode, ran.stdout, ran.stderr))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_password_in_another_encoding_is_refused_by_its_name(shell: Shell, encoding: str) -> None:
    add = ("admin", "user", "add", "alice", "--email", "alice@example.com", "--password-stdin")
    ran = shell.run(*add, stdin="correct horse battery staple\r\n".encode(encoding))
    assert_refused(ran)
    assert "Send it as UTF-8." in ran.err
    assert not shell.database.exists()


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_a_byte_order_mark_is_not_part_of_a_password(shell: Shell, ending: bytes) -> None:
    """Windows PowerShell pipes text with one."""
    shell.add()
    reset = ("admin", "user", "reset-password", "alice", "--password-stdin")
    ran = shell.run(*reset, stdin=b"\xef\xbb\xbfquiet harbour lantern sky" + ending)
    assert ran.status == 0, ran.err
    with open_account_store(Options(), create=False) as store:
        store.sign_in.with_password("alice", "quiet harbour lantern sky", source="test")


@pytest.mark.parametrize("more", [("--before", "99999999999999999999"), ("--before", "-1"), ("--limit", "-4")])
def test_a_number_out_of_range_is_a_wrong_command_line(shell: Shell, more: tuple[str, str]) -> None:
    shell.add()
    ran = shell.run("admin", "activity", *more)
    assert (ran.status, ran.out) == (2, "")
    assert "enter a whole number from 1 to " in ran.err
    assert shell.run("admin", "activity", "--limit", "100000", "--before", str(2**63 - 1)).status == 0


def test_a_model_that_is_no_text_is_refused_by_its_name(shell: Shell) -> None:
    shell.add()
    ran = shell.run("admin", "price", "remove", os.fsdecode(b"\xff"))
    assert_refused(ran)
    assert "The model \ufffd has no price." in ran.err
