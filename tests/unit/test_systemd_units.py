"""The units in docs/systemd are valid, closed as far as Gatekey can be, and run commands that exist."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests import parts
from tests.e2e.installed import GATEKEY
from tui.command import build_parser

pytestmark = pytest.mark.one_interpreter

FOLDER: Final = Path(__file__).parents[2] / "docs" / "systemd"
SERVICES: Final = sorted(FOLDER.glob("*.service"))
INSTALLED: Final = "/opt/gatekey/.venv/bin/gatekey"
"""The path in the units; a test puts that of this installation in its place."""
MOST_EXPOSED: Final = 2.0
"""The bar for systemd's score, of 10; systemd calls that ok. Other versions of it count other things."""


@pytest.fixture
def units(tmp_path: Path) -> Path:
    for path in FOLDER.iterdir():
        if path.suffix in (".service", ".timer"):
            (tmp_path / path.name).write_text(path.read_text().replace(INSTALLED, str(GATEKEY)))
    return tmp_path


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0", "SYSTEMD_EMOJI": "0"}
    return subprocess.run(["systemd-analyze", *arguments], env=env, capture_output=True, text=True, check=False)


def values(service: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", service.read_text(), re.MULTILINE)


def test_the_units_are_these() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {
        *("README.md", "gatekey.service", "gatekey-notify.service", "gatekey-notify.timer", "gatekey-ssh.service"),
    }


@pytest.mark.needs(parts.SYSTEMD)
def test_systemd_finds_no_fault(units: Path) -> None:
    ran = analyze("verify", *sorted(map(str, units.iterdir())))
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


@pytest.mark.needs(parts.SYSTEMD)
def test_systemd_finds_a_fault_that_was_planted(units: Path) -> None:
    service = units / "gatekey.service"
    service.write_text(service.read_text().replace("ProtectSystem=strict", "ProtectSystem=very"))
    ran = analyze("verify", str(service))
    assert "very" in ran.stdout + ran.stderr


@pytest.mark.needs(parts.SYSTEMD)
@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_a_service_is_closed_to_what_gatekey_does_not_need(units: Path, service: Path) -> None:
    ran = analyze("security", "--offline=true", "--no-pager", str(units / service.name))
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", ran.stdout)
    assert found is not None, ran.stderr
    assert float(found[1]) <= MOST_EXPOSED, ran.stdout


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_a_service_runs_a_command_that_exists_as_a_user_of_its_own(service: Path) -> None:
    (line,) = values(service, "ExecStart")
    program, *words = shlex.split(line)
    assert program == INSTALLED
    assert build_parser().parse_args(words).command == (service.stem.partition("-")[2] or "serve")
    assert values(service, "User") == ["gatekey"]
    assert "NoNewPrivileges" in service.read_text()


def test_the_services_are_closed_alike() -> None:
    closed = {
        service.name: service.read_text().partition("# The service sees")[2].partition("[")[0].strip()
        for service in SERVICES
    }
    assert len(set(closed.values())) == 1
    assert all(closed.values())
