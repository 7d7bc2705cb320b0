"""A fifth notification channel, added by the recipe of ARCHITECTURE.md to a copy of the source, in six files."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from store.key_file import FileRing, write_key_file
from store.revisions import schema_revision
from tests.harness.stores import add_account, make_ring, make_store, sqlite_url

pytestmark = pytest.mark.one_interpreter

ROOT: Final = Path(__file__).parents[2]
COPIED: Final = (
    "store",
    "gateway",
    "remote",
    "tui",
    "screens",
    "styles",
    "docs",
    "tests/harness",
    "tests/fakes",
    "tests/__init__.py",
)
REVISION: Final = f"{int(schema_revision()) + 1:04}"
MOST_FILES: Final = 6

SETTINGS: Final = """\
    pager_on: bool = _channel_switch(Channel.PAGER, "Pager")
    pager_url: str = declare(
        "",
        Setting(
            type=SettingType.ADDRESS,
            channel=Channel.PAGER,
            title="Pager server",
            label="Server",
            help="Such as https://pager.example.com",
            summary="the pager server's address",
            needed="Enter the address of your pager server.",
        ),
    )
    pager_token: StoredSecret = declare(
        StoredSecret(),
        Setting(
            type=SettingType.TEXT,
            is_secret=True,
            channel=Channel.PAGER,
            title="Pager token",
            label="Token",
            help="From the pager's settings.",
            summary="the token of the pager",
            needed="Enter the token of your pager.",
        ),
    )
    pager_level: int = declare(
        3,
        Setting(
            type=SettingType.WHOLE_NUMBER,
            channel=Channel.PAGER,
            title="Pager level",
            label="Level",
            help="How urgent a page is, 1 to 5.",
            summary="1 to 5",
            lowest=1,
            highest=5,
        ),
    )

"""
COLUMNS: Final = """\
    pager_on: Named[bool] = Column(Boolean, server_default=false())
    pager_url: Named[str] = Column(Text, server_default="")
    pager_token_sealed: Named[bytes | None] = Column(LargeBinary)
    pager_level: Named[int] = Column(BigId, server_default="3")
"""
MIGRATION: Final = f'''\
"""The settings of the pager.

Revision ID: {REVISION}
Revises: {schema_revision()}
"""

import sqlalchemy as sa
from alembic import op

from store.models import BigId

revision = "{REVISION}"
down_revision = "{schema_revision()}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("pager_on", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("pager_url", sa.Text(), nullable=False, server_default=""),
        sa.Column("pager_token_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("pager_level", BigId, nullable=False, server_default="3"),
    ):
        op.add_column("notification_settings", column)
'''
CHANNEL: Final = '''\
"""Pager: a page to a pager server."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.channels.message import Message
from gateway.channels.post import post_json, to_json
from gateway.channels.target import Transport, required
from store.sections import NotificationSettings


@dataclass(frozen=True, slots=True)
class PagerTarget:
    url: str
    token: str = field(repr=False)
    level: int

    async def deliver(self, message: Message, transport: Transport) -> None:
        body = to_json({"id": message.id, "text": message.text, "level": self.level})
        headers = {"X-Pager-Token": self.token}
        await post_json(transport.outbound, f"{self.url}/page", body, headers, transport.clock.now())


def target(section: NotificationSettings, secrets: Mapping[str, str]) -> PagerTarget:
    token = required(secrets["pager_token"])
    return PagerTarget(required(section.pager_url), token, section.pager_level)
'''


class Copy:
    """A copy of the source that writes down which files are added or edited."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.touched: set[str] = set()
        for name in COPIED:
            source, copy = ROOT / name, folder / name
            if source.is_dir():
                shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, copy)

    def add(self, name: str, content: str) -> None:
        assert not (self.folder / name).exists()
        (self.folder / name).write_text(content)
        self.touched.add(name)

    def edit(self, name: str, *changes: tuple[str, str]) -> None:
        """Replace each pattern, which stands in the file exactly once."""
        text = (self.folder / name).read_text()
        for pattern, replacement in changes:
            text, found = re.subn(pattern, lambda _, new=replacement: new, text)  # type: ignore[misc]
            assert found == 1, (name, pattern)
        (self.folder / name).write_text(text)
        self.touched.add(name)

    def run(self, *arguments: str) -> str:
        """The output of a Python process in the copy."""
        finished = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        return finished.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """The source with the recipe applied."""
    copy = Copy(tmp_path / "source")
    copy.edit(
        "store/sections.py",
        (r'    GOTIFY = "gotify"\n', '    GOTIFY = "gotify"\n    PAGER = "pager"\n'),
        (r"    @property\n    def channels", f"{SETTINGS}    @property\n    def channels"),
    )
    copy.edit(
        "store/models/settings.py",
        (r"    gotify_priority: .*\n", f"    gotify_priority: Named[int] = Column(BigId)\n{COLUMNS}"),
        (r"(?=from sqlalchemy import)", "from sqlalchemy import false\n"),
    )
    copy.add(f"store/migrations/versions/{REVISION}_pager.py", MIGRATION)
    copy.add("gateway/channels/pager.py", CHANNEL)
    copy.edit(
        "gateway/channels/registry.py",
        (r"import bark, gotify, webhook", "import bark, gotify, pager, webhook"),
        (
            r"    Channel.GOTIFY: gotify.target,\n",
            "    Channel.GOTIFY: gotify.target,\n    Channel.PAGER: pager.target,\n",
        ),
    )
    before = (copy.folder / "docs/settings.md").read_text()
    copy.run("docs/settings_page.py")
    assert (copy.folder / "docs/settings.md").read_text() != before
    copy.touched.add("docs/settings.md")
    return copy


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with a database and a key file of the unchanged program."""
    write_key_file(tmp_path / "key", make_ring())
    with make_store(sqlite_url(tmp_path), ring=FileRing(tmp_path / "key")) as store:
        add_account(store)
    return tmp_path


def test_a_fifth_channel_works_everywhere(copy: Copy, data: Path) -> None:
    assert len(copy.touched) <= MOST_FILES
    seen: dict[str, Any] = json.loads(copy.run("-m", "tests.harness.fifth_channel_program", str(data)))
    assert seen["from"] == str(copy.folder / "store")
    assert seen["channels"] == ["email", "webhook", "bark", "gotify", "pager"]
    assert seen["upgrade"] == 0
    assert {name: status for name, status in seen.items() if name.startswith("set ")} == {
        "set url": 0,
        "set token": 0,
        "set level": 0,
        "set on": 0,
    }
    assert seen["refused"][0] == 1
    assert "Enter a whole number from 1 to 5." in seen["refused"][1]
    address = seen["shown"].pop("pager_url")
    assert seen["shown"] == {
        "pager_on": True,
        "pager_token": {"is_set": True, "hint": "…6789"},
        "pager_level": 4,
    }
    assert seen["form"] == [
        ["Send by Pager", "channel-pager"],
        ["Server", "pager-url"],
        ["Token", "pager-token"],
        ["Level", "pager-level"],
    ]
    assert seen["form values"] == [True, "4", "stored …6789 · type to replace"]
    assert seen["form refuses"]
    assert seen["form saves"]
    assert seen["api"] == {"pager_on": True, "pager_url": address, "pager_level": 5}
    assert seen["api secret"] == {"is_set": True, "hint": "…6789"}
    assert (seen["api schema"]["minimum"], seen["api schema"]["maximum"]) == (1, 5)
    (exported,) = seen["export"]
    assert (exported["pager_on"], exported["pager_url"], exported["pager_level"]) == (True, address, 5)
    assert not any("token" in name for name in exported)
    assert (seen["sealed before"], seen["sealed after"], seen["opened"]) == (1, 2, True)
    # By e-mail too, which fails: there is no mail server.
    assert seen["delivered"] == 1
    (received,) = seen["received"]
    assert (received["path"], received["token"], received["level"]) == ("/page", "pager-token-0123456789", 5)
    assert "below" in received["text"]


def test_the_settings_page_is_the_one_that_is_generated() -> None:
    generated = subprocess.run(
        [sys.executable, "-c", "import runpy; print(runpy.run_path('docs/settings_page.py')['page'](), end='')"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    assert (ROOT / "docs/settings.md").read_text() == generated, "run: python docs/settings_page.py"
