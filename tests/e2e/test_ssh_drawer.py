"""The drawer over `gatekey ssh`, fetched with OpenSSH's own scp and sftp: once, by its account, and nothing else."""

import asyncio
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import asyncssh
import pytest

from store.audit_tags import Tag
from store.drawer_parts import PART_BYTES
from store.store import Store
from store.values.sign_in import SignedIn
from tests.e2e.installed import PATIENCE, Installed, step_now
from tests.e2e.ssh_server import NAME, OPEN, SshServer, enrol, make_key, register
from tests.fakes.authenticator_app import code
from tests.harness.stores import PASSWORD
from tests.harness.waiting import wait_until

WAYS: Final = ("scp", "scp -O", "sftp")
LARGE: Final = bytes(range(256)) * (5 * PART_BYTES // 512)
"""Two parts and a half."""


def with_store(server: SshServer, act: Callable[[Store, str], Any]) -> Any:
    """The result of `act` for the store and a session of alice, which ends afterwards."""
    with server.open_store() as store:
        answer = store.sign_in.with_password(NAME, PASSWORD, source="test")
        assert isinstance(answer, SignedIn)
        result = act(store, answer.token)
        store.sessions.end(answer.token)
    return result


def put(server: SshServer, name: str = "export.json", content: bytes = b"planted words") -> None:
    with_store(server, lambda store, token: store.drawer.put(token, name, content))


def names(server: SshServer) -> list[str]:
    listed: list[str] = with_store(server, lambda store, token: [item.name for item in store.drawer.list(token)])
    return listed


def run(server: SshServer, way: str, *options: str, source: str, target: str) -> subprocess.CompletedProcess[str]:
    """Copy from or to the server, with OpenSSH's own program."""
    return subprocess.run(
        [*way.split(), "-F", str(server.config), *options, "-o", "BatchMode=yes", source, target],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def remote(name: str, account: str = NAME) -> str:
    return f"{account}@127.0.0.1:{name}"


def files_of(server: SshServer) -> dict[str, bytes]:
    """Every file of the server's person but the database and its log."""
    return {
        str(path): path.read_bytes()
        for path in server.home.folder.rglob("*")
        if path.is_file() and path.parent != server.home.data and path != server.log
    }


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("content", [b"planted words", LARGE], ids=["small", "large"])
def test_an_item_is_fetched_once(server: SshServer, key: Path, tmp_path: Path, way: str, content: bytes) -> None:
    put(server, content=content)
    put(server, "codes.txt")
    fetched = run(server, way, "-i", str(key), source=remote("export.json"), target=str(tmp_path / "got"))
    assert fetched.returncode == 0, fetched.stderr
    assert (tmp_path / "got").read_bytes() == content
    again = run(server, way, "-i", str(key), source=remote("export.json"), target=str(tmp_path / "again"))
    assert again.returncode != 0
    assert not (tmp_path / "again").exists()
    assert names(server) == ["codes.txt"]
    server.wait_until_empty()

    def tags(store: Store, _token: str) -> list[str]:
        with store.database.read() as tx:
            events = store.audit.page(tx, store.accounts.find(NAME).id, limit=100)
        return [event.tag for event in events if event.tag == Tag.DRAWER_FETCHED and "ssh 127.0.0.1" in str(event)]

    assert len(with_store(server, tags)) == 1


def test_the_command_in_the_console_fetches_what_was_saved(server: SshServer, key: Path, tmp_path: Path) -> None:
    before = files_of(server)
    with server.client(NAME, "-i", str(key)) as client:
        client.until(OPEN)
        client.press("e")
        client.until("Saved to your drawer")
        client.until("Close esc")  # all of it is drawn
        (command,) = re.findall(r"scp [^│]*:export\.json \.", client.screen_text())
        client.press("escape")
        client.until_gone("Copy command")
        save_all(client)
        client.press("w")
        client.until("What you saved, encrypted")
        client.until("access-token.txt")
        client.press("end")
        client.until(command)
        client.press("escape")
        client.until_gone("What you saved, encrypted")
        program, *arguments = shlex.split(command)
        fetched = subprocess.run(
            [program, "-F", str(server.config), "-i", str(key), *arguments], cwd=tmp_path, check=False
        )
        assert fetched.returncode == 0
        client.quit()
    assert '"format": "gatekey-export"' in (tmp_path / "export.json").read_text()
    assert files_of(server) == before


def save_all(client: Installed) -> None:
    """Save on each screen that can: the token, the key of the second factor, the data before a deletion."""
    for steps, dialog in (
        (
            (
                ("t", "Generate a new System Access Token?"),
                ("y", "This is your new token."),
                ("w", ":access-token.txt ."),
            ),
            "Reveal",
        ),
        ((("f", "Copy key"), ("ctrl+s", ":2fa-key.txt .")), "Copy key"),
        ((("x", "The export goes to your drawer"), ("e", ":export-2.json .")), "The export goes to your drawer"),
    ):
        for key, shown in steps:
            client.press(key)
            client.until(shown)
        client.until("Copy command c Close esc")
        client.press("escape")
        client.until_gone("Copy command")
        client.press("escape")
        if dialog == "Copy key":
            client.until("Leave the setup?")
            client.press("y")
            # The question may cover what is looked for below.
            client.until_gone("Leave the setup?")
        client.until_gone(dialog)


def test_the_list_is_all_there_is(server: SshServer, key: Path, tmp_path: Path) -> None:
    put(server)
    put(server, "codes.txt")
    listed = subprocess.run(
        ["sftp", "-F", str(server.config), "-i", str(key), "-b", "-", f"{NAME}@127.0.0.1"],
        input="pwd\nls -la\ncd ..\npwd\nls -1 /\n-ls /etc\n-get /etc/passwd\n-get ../../etc/passwd\n",
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.count("Remote working directory: /\n") == 2
    assert re.search(r"-r--------.*alice.* 13 .*export\.json", listed.stdout), listed.stdout
    assert "root:" not in listed.stdout
    assert not (tmp_path / "passwd").exists()
    assert sorted(names(server)) == ["codes.txt", "export.json"], "a look fetches nothing"
    everything = run(server, "scp", "-i", str(key), source=remote("*"), target=str(tmp_path))
    assert everything.returncode == 0, everything.stderr
    assert names(server) == []
    assert (tmp_path / "codes.txt").read_bytes() == b"planted words"


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_written(server: SshServer, key: Path, tmp_path: Path, way: str) -> None:
    put(server)
    before = files_of(server)
    mine = tmp_path / "mine.txt"
    mine.write_text("words of a stranger")
    for target in ("mine.txt", "export.json", "/tmp/gatekey-mine.txt", "../mine.txt", ".ssh/authorized_keys"):
        if way == "sftp":
            ran = subprocess.run(
                ["sftp", "-F", str(server.config), "-i", str(key), "-b", "-", f"{NAME}@127.0.0.1"],
                input=f"put {mine} {target}\n",
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
        else:
            ran = run(server, way, "-i", str(key), source=str(mine), target=remote(target))
        assert ran.returncode != 0, target
        assert "read-only" in ran.stderr or "Permission denied" in ran.stderr, ran.stderr
    assert files_of(server) == before
    assert not Path("/tmp/gatekey-mine.txt").exists()
    assert names(server) == ["export.json"]


async def connect(server: SshServer, key: Path) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        "127.0.0.1", server.port, username=NAME, client_keys=[str(key)], known_hosts=None, config=None, agent_path=None
    )


def test_every_act_but_reading_is_refused(server: SshServer, key: Path) -> None:
    put(server)
    before = files_of(server)

    async def attack() -> None:
        async with await connect(server, key) as connection, connection.start_sftp_client() as sftp:
            acts: tuple[Callable[[], Any], ...] = (
                *(lambda flags=flags: sftp.open("export.json", flags) for flags in ("w", "a", "x", "r+")),
                *(lambda path=path: sftp.open(path, "w") for path in ("new", "/etc/x", "../x")),
                lambda: sftp.mkdir("folder"),
                lambda: sftp.rmdir("/"),
                lambda: sftp.remove("export.json"),
                lambda: sftp.rename("export.json", "other"),
                lambda: sftp.posix_rename("export.json", "other"),
                lambda: sftp.chmod("export.json", 0o777),
                lambda: sftp.truncate("export.json", 0),
                lambda: sftp.utime("export.json", (0, 0)),
                lambda: sftp.symlink("/etc/passwd", "link"),
                lambda: sftp.link("export.json", "link"),
                lambda: sftp.readlink("export.json"),
                lambda: sftp.statvfs("/"),
            )
            for act in acts:
                with pytest.raises(asyncssh.SFTPPermissionDenied):
                    await act()
            for path in (
                b"../../etc/passwd",
                b"/etc/passwd",
                b"exp\0ort.json",
                b"x" * 10_000,
                b"export.json/x",
                b"\xff",
            ):
                for look in (sftp.open, sftp.stat, sftp.lstat, sftp.listdir):
                    with pytest.raises(asyncssh.SFTPError):
                        await look(path)
            for number in range(200):
                assert not await sftp.exists(f"name-{number}")
            assert sorted(await sftp.listdir("/")) == [".", "..", "export.json"]
            file = await sftp.open("export.json")
            for act in (
                lambda: file.write("x"),
                lambda: file.truncate(0),
                lambda: file.statvfs(),
                lambda: file.fsync(),
            ):
                with pytest.raises(asyncssh.SFTPError):
                    await act()
            await file.close()

    asyncio.run(attack())
    assert files_of(server) == before
    assert names(server) == ["export.json"]


def test_one_of_two_fetches_has_it_and_one_that_breaks_off_gives_it_back(server: SshServer, key: Path) -> None:
    put(server, content=LARGE)

    async def attack() -> None:
        first = await connect(server, key)
        async with first.start_sftp_client() as sftp, await connect(server, key) as second:
            held: Any = await sftp.open("export.json", "rb")
            assert await held.read(PART_BYTES, 0) == LARGE[:PART_BYTES]
            async with second.start_sftp_client() as other:
                with pytest.raises(asyncssh.SFTPNoSuchFile, match="is being fetched at this moment"):
                    await other.open("export.json", "rb")
                first.abort()
                await first.wait_closed()
                file = await taken(other)
                assert await file.read() == LARGE
                await file.close()
                with pytest.raises(asyncssh.SFTPNoSuchFile, match="it was fetched"):
                    await other.open("export.json", "rb")

    async def taken(sftp: asyncssh.SFTPClient) -> Any:
        """The item, as soon as the server has noticed that the other connection is lost."""
        while True:
            try:
                return await sftp.open("export.json", "rb")
            except asyncssh.SFTPNoSuchFile:
                await asyncio.sleep(0.05)

    asyncio.run(attack())
    assert names(server) == []


def test_a_session_that_is_over_reads_no_further(server: SshServer, key: Path) -> None:
    put(server, content=LARGE)

    async def attack() -> None:
        async with await connect(server, key) as connection, connection.start_sftp_client() as sftp:
            file: Any = await sftp.open("export.json", "rb")
            assert await file.read(10, 0) == LARGE[:10]
            removed = server.home.run("admin", "ssh-key", "remove", NAME, "1", "--yes")
            assert removed.returncode == 0, removed.stderr
            for act in (lambda: file.read(10, PART_BYTES), lambda: sftp.listdir("/"), lambda: sftp.open("x")):
                with pytest.raises(asyncssh.SFTPFailure):
                    await act()

    asyncio.run(attack())
    assert names(server) == ["export.json"]


def test_nobody_fetches_from_the_drawer_of_another(server: SshServer, tmp_path: Path) -> None:
    server.home.add_account("bob")
    bobs = make_key(tmp_path, "bob")
    register(server, bobs, "bob")
    put(server)
    own = run(server, "scp", "-i", str(bobs), source=remote("export.json", "bob"), target=str(tmp_path))
    assert own.returncode != 0
    # The key does not fit the name, so nobody is signed in.
    alices = run(
        server, "scp", "-i", str(bobs), "-o", "BatchMode=no", source=remote("export.json"), target=str(tmp_path)
    )
    assert alices.returncode != 0
    assert "The drawer is for whoever is signed in." in alices.stderr, alices.stderr
    suspended = server.home.run("admin", "user", "suspend", "bob", "--yes")
    assert suspended.returncode == 0, suspended.stderr
    for way in WAYS:
        assert run(server, way, "-i", str(bobs), source=remote("x", "bob"), target=str(tmp_path)).returncode != 0
    assert not (tmp_path / "export.json").exists()
    assert names(server) == ["export.json"]


def test_the_second_factor_is_asked_for(server: SshServer, key: Path, tmp_path: Path) -> None:
    put(server)
    secret = enrol(server)
    alone = run(server, "scp", "-i", str(key), source=remote("export.json"), target=str(tmp_path))
    assert alone.returncode != 0
    assert "add -o PubkeyAuthentication=no to the command" in alone.stderr, alone.stderr
    words = ["scp", "-F", str(server.config), "-o", "PubkeyAuthentication=no", remote("export.json"), str(tmp_path)]
    with Installed(words, env={"HOME": str(server.home.folder)}) as client:
        client.until("Password")
        client.type(f"{PASSWORD}\r")
        client.until("or a backup code:")
        assert "alice has two-factor authentication." in client.words()
        client.type(f"{code(secret, step_now())}\r")
        wait_until(lambda: client.exit_code(PATIENCE) == 0)
    assert (tmp_path / "export.json").read_bytes() == b"planted words"
