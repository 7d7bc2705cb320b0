"""A test whose program is missing is skipped, says so, and is a failure where everything is required."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests import parts

pytestmark = pytest.mark.one_interpreter

ROOT: Final = Path(__file__).parents[2]
NEEDY: Final = """\
import pytest
from tests import parts

@pytest.mark.needs(parts.TMUX)
def test_by_a_mark(): pass

@pytest.fixture(scope="session")
def browser():
    parts.need(parts.CHROMIUM)

def test_by_a_fixture(browser): pass

def test_by_the_same_fixture(browser): pass

def test_that_needs_nothing(): pass
"""


def bare(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """pytest, as on a machine without any of the programs."""
    env = {"PATH": "", "HOME": os.environ.get("HOME", "/"), "LC_ALL": "C.UTF-8", "COLUMNS": "200", **variables}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    command += ["--rootdir", str(ROOT), *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def needy(tmp_path: Path) -> tuple[str, ...]:
    """The arguments that run four tests under the suite's own conftest, three of which need a program."""
    file = tmp_path / "test_needy.py"
    file.write_text(NEEDY)
    return "-p", "tests.conftest", "--confcutdir", str(tmp_path), str(file)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_missing_part_is_named_with_the_command_that_brings_it(needy: tuple[str, ...], workers: str) -> None:
    ran = bare("-n", workers, *needy)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    *_, chromium, tmux, command, count = ran.stdout.splitlines()
    assert chromium == "Chromium is not installed: 2 tests skipped"
    assert tmux == "tmux is not installed: 1 test skipped"
    assert command.endswith("as root: apt-get install -y --no-install-recommends chromium tmux")
    assert re.match(r"1 passed, 3 skipped in ", count)


def test_nothing_is_said_where_nothing_is_missing(needy: tuple[str, ...]) -> None:
    ran = bare(*needy, "-k", "needs_nothing")
    assert ran.returncode == 0
    assert "not tested" not in ran.stdout
    assert "apt-get" not in ran.stdout


def test_a_missing_part_fails_where_every_part_is_required(needy: tuple[str, ...]) -> None:
    ran = bare(*needy, **{parts.REQUIRE_ALL: "1"})
    assert ran.returncode == 1
    assert re.search(r"^1 passed, 3 errors in ", ran.stdout, re.MULTILINE)
    assert f"tmux is not installed, and {parts.REQUIRE_ALL} is set. apt-get install" in ran.stdout


def test_the_suite_is_collected_without_any_program() -> None:
    ran = bare("--collect-only")
    assert ran.returncode == 0, ran.stdout[-2000:]
    collected = re.search(r"^(\d+)/\d+ tests collected", ran.stdout, re.MULTILINE)
    assert collected is not None
    assert int(collected[1]) > 4000


def test_the_parts_are_listed_without_anything_but_python() -> None:
    command = [sys.executable, "-I", "-S", str(ROOT / "tests" / "parts.py")]
    ran = subprocess.run(command, env={"PATH": ""}, capture_output=True, text=True, check=True)
    missing = {package for part in parts.PARTS if part is not parts.POSTGRESQL for package in part.packages}
    # These lie in folders that are looked into whatever PATH says.
    assert missing - set(ran.stdout.split()) <= {"openssh-client", "openssh-server", "pgbouncer"}
    assert ran.stdout.count("\n") == 1


def test_contributing_names_every_part() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    assert [part.name for part in parts.PARTS if part.name not in text] == []
