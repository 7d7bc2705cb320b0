"""A person who is signed in over SSH acts as the service user: what can they have written, and where?

The attack that was seen: an API key named `$(...)`, everything exported to `~/.bashrc`; the document is valid shell,
and the next login ran it. Here it is played on every screen and command that writes at a person's word.
"""

import ast
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from screens.commands import commands
from screens.in_drawer import InDrawer
from screens.save_file import SaveFile
from screens.settings.access_token import ApiKey
from screens.settings.two_factor_manage import NewBackupCodes
from store.errors import FilesOff, InvalidInput
from store.values.drawer import FetchPlace
from tests.harness.command_line import Shell
from tests.harness.consoles import Stage, console
from tests.harness.drawers import PLACE, fetch
from tui.widgets.palette import Palette

ROOT: Final = Path(__file__).parents[2]
BAIT: Final = "$(cat ~/.config/gatekey/key)"
OFF: Final = "Saving to a file is off here."


async def open_token(stage: Stage) -> None:
    await stage.press("t", "y")


async def open_api_key(stage: Stage) -> None:
    made = stage.store.api_keys.create(stage.app.account._token, BAIT)  # type: ignore[attr-defined]
    stage.app.push_screen(ApiKey(made))
    await stage.settle()


async def open_scan(stage: Stage) -> None:
    await stage.press("f")


async def open_codes(stage: Stage) -> None:
    await stage.press("f", "enter")


async def open_new_codes(stage: Stage) -> None:
    stage.app.push_screen(NewBackupCodes(tuple(f"{n:04}-AAAA-BBBB-CCCC" for n in range(10))))
    await stage.settle()


async def open_deletion(stage: Stage) -> None:
    stage.store.api_keys.create(stage.app.account._token, BAIT)  # type: ignore[attr-defined]
    await stage.press("x")


SAVING: Final[dict[str, tuple[Callable[[Stage], Awaitable[None]], str]]] = {
    "token": (open_token, "#save"),
    "api key": (open_api_key, "#save"),
    "two-factor key": (open_scan, "#save-key"),
    "backup codes": (open_codes, "#save-codes"),
    "new backup codes": (open_new_codes, "#save-codes"),
    "export": (open_deletion, "#export"),
}
"""Each dialog that saves: how to get there, and the button."""

TARGETS: Final = (
    "~/.bashrc",
    "~/.ssh/rc",
    "~/.ssh/authorized_keys2",
    "~/.config/gatekey/keys.toml",
    "~/.pam_environment",
    "~/ours/keys.toml",
    "~/ours/gatekey.sqlite3-journal",
    "~/link/rc",
    "~/present.txt",
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The service user's home, with a database folder and a link into `.ssh`."""
    for folder in (".ssh", ".config/gatekey", "ours"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / ".ssh")
    (tmp_path / "present.txt").write_text("precious")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GATEKEY_DATABASE", str(tmp_path / "ours" / "gatekey.sqlite3"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def state(home: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in sorted(home.rglob("*"))}


@pytest.mark.parametrize("dialog", SAVING)
async def test_no_dialog_writes_where_something_else_reads(home: Path, dialog: str) -> None:
    reach, button = SAVING[dialog]
    before = state(home)
    async with console() as stage:
        await reach(stage)
        await stage.click(button)
        for target in TARGETS:
            assert isinstance(stage.app.screen, SaveFile), target
            await stage.fill("path", target)
            await stage.press("enter")
            assert isinstance(stage.app.screen, SaveFile), target
            assert state(home) == before, target
        await stage.fill("path", f"{dialog}.txt")
        await stage.press("enter")
        assert not isinstance(stage.app.screen, SaveFile)
    (new,) = state(home).keys() - before.keys()
    assert new == str(home / f"{dialog}.txt")


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
@pytest.mark.parametrize("dialog", SAVING)
async def test_with_files_off_no_dialog_asks_for_a_path(home: Path, dialog: str, size: tuple[int, int]) -> None:
    reach, button = SAVING[dialog]
    before = state(home)
    async with console(no_files=True, size=size) as stage:
        await reach(stage)
        assert not stage.app.screen.query(button)
        assert stage.says(OFF), stage.text()
        assert not stage.says("Save as file")
        assert "save" not in {active.binding.action for active in stage.app.screen.active_bindings.values()}
        opened = stage.app.screen
        await stage.press("w")
        assert stage.app.screen is opened
        assert state(home) == before


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
@pytest.mark.parametrize("dialog", SAVING)
async def test_over_ssh_every_dialog_saves_to_the_drawer_and_asks_for_no_path(
    home: Path, dialog: str, size: tuple[int, int]
) -> None:
    reach, button = SAVING[dialog]
    before = state(home)
    async with console(fetch_place=PLACE, size=size) as stage:
        await reach(stage)
        saving = stage.app.screen
        await stage.click(button)
        assert isinstance(stage.app.screen, InDrawer)
        token = stage.app.account._token  # type: ignore[attr-defined]
        (item,) = stage.store.drawer.list(token)
        assert stage.says(f"alice@gateway.example.com:{item.name} .")
        await stage.press("escape")
        assert stage.app.screen is saving
        assert len(fetch(stage.store, token, item.name)) == item.size_bytes > 0
    assert state(home) == before


async def test_over_ssh_a_screen_that_names_a_path_all_the_same_saves_under_its_last_part(home: Path) -> None:
    before = state(home)
    async with console(fetch_place=PLACE) as stage:
        account = stage.app.account
        for write in (account.export_to, lambda path: account.files.save(path, BAIT)):
            for target in ("~/present.txt", "/etc/passwd", "../../present.txt"):
                assert (await write(Path(target))).parent == Path()
            for target in ("~/.bashrc", "~/.ssh/..", "/", ".", "x\0", "~/link/\N{RIGHT-TO-LEFT OVERRIDE}x"):
                with pytest.raises(InvalidInput):
                    await write(Path(target))
        token = account._token  # type: ignore[attr-defined]
        assert len(stage.store.drawer.list(token)) == 6
    assert state(home) == before


async def test_with_files_off_copying_remains(home: Path) -> None:
    async with console(no_files=True) as stage:
        await stage.press("t", "y", "c")
        assert stage.says("Sent to the terminal's clipboard. If it did not arrive, reveal it and write it down.")


async def test_with_files_off_a_screen_that_asks_all_the_same_is_refused(home: Path) -> None:
    before = state(home)
    async with console(no_files=True) as stage:
        for write in (stage.app.account.export_to, lambda path: stage.app.account.files.save(path, BAIT)):
            for target in (*TARGETS, "free.txt"):
                with pytest.raises(FilesOff):
                    await write(Path(target))
    assert state(home) == before


async def test_the_palette_offers_nothing_that_writes_with_files_off(home: Path) -> None:
    places: tuple[tuple[bool, FetchPlace | None], ...] = ((False, None), (True, None), (True, PLACE))
    for no_files, place in places:
        async with console(no_files=no_files, fetch_place=place) as stage:
            listed = {command.title for command in commands(stage.app, stage.app.screen)}
            await stage.press("ctrl+p")
            assert isinstance(stage.app.screen, Palette)
            assert listed == {command.title for command in stage.app.screen.commands}
            writing = [title for title in listed for word in ("screenshot", "export", "file") if word in title.lower()]
            saves = place is not None or not no_files
            assert writing == (["Export your data"] if saves else []), "which asks for the place, or for none"


async def test_no_picture_of_the_screen_is_written(home: Path) -> None:
    before = state(home)
    async with console() as stage:
        await stage.app.run_action("screenshot")
        await stage.app.run_action(f"screenshot('shot.svg', '{home}')")
        await stage.settle()
    assert state(home) == before


# -- the command line -----------------------------------------------------------------------------------------------


def test_a_backup_goes_where_a_file_may_lie_and_nowhere_else(
    home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = Shell(tmp_path_factory.mktemp("data"), monkeypatch)
    shell.add()
    with closing(sqlite3.connect(shell.database)) as connection:
        connection.execute("DELETE FROM alembic_version")
        connection.commit()
    before = state(home)
    for folder in ("~/.ssh", "~/.config/gatekey", "~/link", "~/missing", str(shell.folder)):
        ran = shell.run("admin", "upgrade", "--backup-to", folder)
        assert (ran.status, ran.out) == (1, ""), folder
        assert state(home) == before, folder
    for off in (("--no-files",), ()):
        if not off:
            monkeypatch.setenv("GATEKEY_FILES", "none")
        ran = shell.run("admin", "upgrade", "--backup-to", str(home), *off)
        assert ran.status == 1
        assert FilesOff.sentence in ran.err
        assert state(home) == before


@pytest.mark.parametrize("off", ["--no-files", "none"])
def test_with_files_off_the_environment_names_no_file_to_write(
    home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, off: str
) -> None:
    shell = Shell(tmp_path_factory.mktemp("data"), monkeypatch)
    names = ("GATEKEY_DEBUG_LOG", "TEXTUAL_LOG", "SSLKEYLOGFILE")
    for name in names:
        monkeypatch.setenv(name, str(home / f"{name}.txt"))
    if off == "none":
        monkeypatch.setenv("GATEKEY_FILES", off)

    def broken(*_: object) -> None:
        raise RuntimeError(BAIT)

    monkeypatch.setattr("tui.commands.doctor.examine", broken)
    before = state(home)
    ran = shell.run("doctor", *(("--no-files",) if off == "--no-files" else ()))
    assert ran.status == 1
    assert "fault of its own" in ran.err
    assert state(home) == before


@pytest.mark.parametrize("value", ["None", "no", "0", "all", " none"])
def test_a_slip_of_the_pen_leaves_no_door_open(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str) -> None:
    shell = Shell(tmp_path, monkeypatch)
    monkeypatch.setenv("GATEKEY_FILES", value)
    for arguments in ((), ("--demo",), ("doctor",)):
        ran = shell.run(*arguments)
        assert ran.status == 1
        assert "GATEKEY_FILES must be none or not set." in ran.err


# -- nothing else writes --------------------------------------------------------------------------------------------

WRITERS: Final = {
    "store/key_file.py": "the key, at a path of the administrator's",
    "store/new_files.py": "the one room for a path of a person's",
    "store/private_folder.py": "Gatekey's own folders",
    "store/restore_folder.py": "the private folder that a restore works in",
    "store/restore.py": "the database that a backup is restored into",
    "store/schema.py": "the copy before an upgrade, beside the database",
    "store/sqlite_file.py": "the database, at a path of the administrator's",
    "tui/first_run.py": "the database and the key of a first run",
    "tui/commands/admin_audit.py": "the checkpoint of the audit log, in the place of an earlier one",
    "store/private_file.py": "a draft beside the file of one of the rooms here, put in its place",
    "tui/ssh_host_key.py": "the host key, made once beside Gatekey's own key",
    "tui/servers.py": "the list of added servers beside keys.toml, without a secret",
    "tui/remembered_theme.py": "the chosen theme beside keys.toml, which files off switches off",
    "gateway/serve_workers.py": "what workers share, nameless or in a temporary folder of the server's own",
    "remote/kept_sessions.py": "sessions on other servers, sealed, in a private folder beside the key",
    "tui/crash.py": "the report of a fault, which files off switches off",
}
_WRITING: Final = {
    *("mkdir", "makedirs", "mkstemp", "mkdtemp", "NamedTemporaryFile", "TemporaryFile", "write_text", "write_bytes"),
    *("touch", "rename", "replace_file", "symlink_to", "hardlink_to", "link", "copyfile", "copytree", "FileHandler"),
}


def writes(source: str) -> bool:
    """True if the code opens a file to write to it, as far as the source shows."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in _WRITING and isinstance(node.func, ast.Attribute) and len(node.args) < 3:
            return True
        words = ast.unparse(node)
        if name == "open" and ("O_CREAT" in words or "O_WRONLY" in words or "_NEW" in words):
            return "os.devnull" not in words
        if name == "open" and any(mode in words for mode in ("'w'", "'a'", "'x'", "'wb'", "'ab'", "'xb'", "'r+")):
            return True
    return False


def test_only_known_rooms_write_files() -> None:
    found = {
        str(path.relative_to(ROOT))
        for top in ("gateway", "remote", "screens", "ssh", "store", "tui")
        for path in (ROOT / top).rglob("*.py")
        if writes(path.read_text())
    }
    assert found <= WRITERS.keys(), found - WRITERS.keys()
