"""The layers: what each room may know, read from the source and seen in a fresh interpreter."""

import pkgutil
import shutil
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Final

import grimp
import pytest

from tests.harness.loaded_modules import loaded_by
from tests.harness.postgres import PostgresServer
from tests.harness.stores import make_ring, make_store, sqlite_url

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("tui", "screens", "ssh", "store", "gateway", "remote")
FACE: Final = {"textual", "rich", "tui", "screens", "ssh"}
NETWORK: Final = {"httpx", "starlette", "fastapi", "uvicorn", "aiosmtplib", "joserfc"}
WHERE_FIRST_USED: Final = {"alembic", "psycopg", "segno", "webauthn", "zxcvbn"}
"""Slow to import, and seldom needed."""


def imports_of(room: str) -> str:
    """Code that imports every module of a room."""
    names = [module.name for module in pkgutil.walk_packages([str(ROOT / room)], f"{room}.")]
    # Alembic runs these itself, inside a migration.
    wanted = [name for name in (room, *names) if not name.startswith("store.migrations.")]
    return "\n".join(f"import {name}" for name in wanted)


ROOM_FOLDERS: Final = tuple(f"{ROOT / room}/" for room in ROOMS)
WATCHING: Final = f"""
import sys

def watch(event, arguments):
    if event in ("open", "os.scandir", "os.listdir") and str(arguments[0]).startswith({ROOM_FOLDERS!r}):
        reader = sys._getframe(1).f_globals.get("__name__", "")
        if not reader.startswith(("importlib.", "_frozen_importlib")):
            print(event, arguments[0], "by", reader)

sys.addaudithook(watch)
"""
"""Code that prints what is read from here on in the program's own folders, except by imports themselves."""


FIRST_PAGE: Final = """
import asyncio
from screens.app import GatekeyApp
from tui.local_account import LocalAccount
from tui.store_location import Options

async def show():
    app = GatekeyApp(LocalAccount(Options(demo=True)))
    async with app.run_test():
        await app.account.wait_until_open()
        await app.workers.wait_for_complete()

asyncio.run(show())
"""
"""Code that opens the demo's console, and waits until its first page has its data."""
NOT_ON_THE_FIRST_PAGE: Final = {
    "screens.lock",
    "screens.save_file",
    "screens.settings.account_binding",
    "store.outbox",
    "store.redeem_codes",
    "tomllib",
    "tui.account",
    "tui.widgets.confirm",
    "tui.widgets.dialog",
}


def opening(url: str) -> str:
    return (
        f"from tests.harness.stores import make_store\nstore = make_store({url!r})\nstore.accounts.all()\nstore.close()"
    )


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command as run; run()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


# -- in a fresh interpreter -------------------------------------------------------------------------------------


def test_the_store_knows_no_screen_and_no_network() -> None:
    loaded = loaded_by(imports_of("store"))
    assert "sqlalchemy" in loaded
    assert loaded & (FACE | NETWORK | WHERE_FIRST_USED | {"gateway", "remote"}) == set()


@pytest.mark.parametrize("room", ROOMS)
def test_an_import_reads_no_file_but_modules(room: str) -> None:
    code = f"{WATCHING}\n{imports_of(room)}"
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True, timeout=120
    )
    assert finished.stdout == ""


def test_the_gateway_knows_no_screen() -> None:
    loaded = loaded_by(imports_of("gateway"))
    assert {"store", "httpx"} <= loaded
    assert loaded & FACE <= {"rich"}, "httpx loads it for its own command line, where it is installed"


def test_the_client_of_another_server_needs_no_database_and_no_server() -> None:
    loaded = loaded_by(imports_of("remote"))
    assert {"store.errors", "httpx"} <= loaded
    assert loaded & (FACE | {"gateway", "sqlalchemy", "fastapi", "starlette", "store.store"}) <= {"rich"}


def test_opening_a_current_database_needs_no_migration_tool(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    made = loaded_by(opening(url))
    again = loaded_by(opening(url))
    assert "alembic" in made, "the control: setting one up does need it"
    assert again & WHERE_FIRST_USED == set()
    assert loaded_by(opening("sqlite://")) & WHERE_FIRST_USED == set()


def test_only_postgresql_loads_its_driver(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url:
        make_store(url, ring=make_ring()).close()
        assert loaded_by(opening(url)) & WHERE_FIRST_USED == {"psycopg"}


def test_nothing_loads_the_orm() -> None:
    """Mapping the tables would cost 0.1 s and 6 MB at every start."""
    use = "\nfrom tui.local_account.demo import open_demo\nstore, token = open_demo()\nstore.sessions.whoami(token)"
    loaded = loaded_by("\n".join(imports_of(room) for room in ROOMS) + use)
    assert {"tui.command", "gateway.app", "sqlalchemy.dialects.sqlite"} <= loaded
    assert "sqlalchemy.orm" not in loaded


def test_the_first_page_loads_no_dialog_and_no_other_page() -> None:
    """They are imported when they open. A start would take a tenth longer with them."""
    loaded = loaded_by(FIRST_PAGE)
    assert {"screens.settings.security", "store.recommendations"} <= loaded
    assert loaded & NOT_ON_THE_FIRST_PAGE == set()
    assert loaded_by("\n".join(f"import {name}" for name in NOT_ON_THE_FIRST_PAGE)) >= NOT_ON_THE_FIRST_PAGE


def test_importing_has_no_effect(tmp_path: Path) -> None:
    code = f"import os; os.chdir({str(tmp_path)!r}); import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    code += imports_of("store") + "\nimport threading; assert threading.active_count() == 1"
    loaded_by(code)
    assert list(tmp_path.iterdir()) == []


# -- in the source ----------------------------------------------------------------------------------------------


def test_every_contract_is_kept() -> None:
    finished = lint(ROOT)
    assert finished.returncode == 0, finished.stdout
    assert "0 broken" in finished.stdout


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports of functions and those for types alone count too: a reader follows them all."""
    graph = grimp.build_graph(*ROOMS, exclude_type_checking_imports=False, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imports) > 200
    assert ("screens.account_actions", "tui.account") in [
        (module, imported) for module in imports for imported in imports[module]
    ], "the control: an import for types alone"
    tuple(TopologicalSorter(imports).static_order())


def test_no_packages_import_each_other_in_a_circle() -> None:
    """A package counts as one node, such as `gateway.relay`; a module beside it is a node of its own."""
    graph = grimp.build_graph(*ROOMS, exclude_type_checking_imports=False, cache_dir=None)
    imports: dict[str, set[str]] = {}
    for module in graph.modules - set(ROOMS):
        for imported in graph.find_modules_directly_imported_by(module) - set(ROOMS):
            node, other = (".".join(name.split(".")[:2]) for name in (module, imported))
            if node != other:
                imports.setdefault(node, set()).add(other)
    assert "gateway.model_server" in imports["gateway.relay"], "the control"
    tuple(TopologicalSorter(imports).static_order())


def test_imports_for_types_run_down_too() -> None:
    graph = grimp.build_graph(*ROOMS, exclude_type_checking_imports=False, cache_dir=None)
    floors = {"store": 0, "gateway": 1, "remote": 1, "tui": 2, "ssh": 3, "screens": 4}
    """The gateway and the client of another server are on one floor, and do not know each other."""
    upward = [
        (module, imported)
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        if (room := module.split(".")[0]) != (other := imported.split(".")[0]) and floors[room] <= floors[other]
    ]
    assert upward == []


BREACHES: Final = {
    "store/breach.py": "import tui.account",
    "store/network.py": "import httpx",
    "gateway/breach.py": "import textual",
    "remote/breach.py": "import sqlalchemy",
    "gateway/services.py": "import gateway.relay.relay",
    "tui/breach.py": "import asyncssh",
    "screens/breach.py": "from sqlalchemy import select",
    "tui/account/breach.py": "import sqlalchemy",
    "tui/widgets/breach.py": "import httpx",
    "store/modules.py": "import store.models",
}
"""One file for each contract that breaks it."""


def test_every_contract_can_be_broken(tmp_path: Path) -> None:
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "*.tcss"))
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    for name, line in BREACHES.items():
        with (tmp_path / name).open("a") as file:
            file.write(f"\n{line}\n")
    finished = lint(tmp_path)
    assert finished.returncode == 1
    assert f"0 kept, {len(BREACHES)} broken" in finished.stdout


@pytest.mark.parametrize("room", ROOMS)
def test_every_module_says_what_it_is_for(room: str) -> None:
    silent = []
    for path in (ROOT / room).rglob("*.py"):
        first = path.read_text().lstrip().splitlines()[:1]
        if not first or not first[0].startswith(('"""', 'r"""')):
            silent.append(str(path.relative_to(ROOT)))
    assert silent == []
