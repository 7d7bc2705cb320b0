"""The wheel and the source distribution hold all of Gatekey, its licence and the text of an index page."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Final

import pytest

from tui.version import VERSION

pytestmark = pytest.mark.one_interpreter

ROOT: Final = Path(__file__).parents[2]
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES: Final = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


def build(checkout: Path, folder: Path, kind: str) -> Path:
    """A distribution built without a network; `kind` is wheel or sdist."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    (built,) = folder.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the source distribution unpacks to."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(build(ROOT, folder, "sdist")) as archive:
        for member in archive:
            content = archive.extractfile(member)  # Debian 12's Python has no filter for `extractall`
            if content is not None:
                (folder / member.name).parent.mkdir(parents=True, exist_ok=True)
                (folder / member.name).write_bytes(content.read())
    return folder / f"gatekey-{VERSION}"


def files_of(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(archive.read(name))


def ours(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for package in PACKAGES
        for path in (folder / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_has_every_file_and_the_licence(wheel: Path) -> None:
    info = f"gatekey-{VERSION}.dist-info"
    names = files_of(wheel)
    manual = f"gatekey-{VERSION}.data/data/share/man/man1/gatekey.1"
    assert {name for name in names if not name.startswith(info)} == {*ours(ROOT), manual}
    assert {f"{info}/licenses/LICENSE", f"{info}/entry_points.txt"} <= names


def test_the_source_distribution_is_enough_to_build_the_same_wheel(sources: Path, wheel: Path, tmp_path: Path) -> None:
    assert ours(sources) == ours(ROOT)
    beside = {path.name for path in sources.iterdir()} - set(PACKAGES)
    assert beside == {
        *(".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "SECURITY.md", "docs", "pyproject.toml"),
    }
    assert [path.name for path in (sources / "docs").iterdir()] == ["gatekey.1"]
    assert files_of(build(sources, tmp_path, "wheel")) == files_of(wheel)


def test_an_index_has_what_it_shows(wheel: Path) -> None:
    shown = metadata_of(wheel)
    assert shown["Version"] == VERSION
    assert (shown["Author"], shown["License-Expression"]) == ("The Gatekey authors", "MIT")
    assert shown["Summary"] == PROJECT["project"]["description"]
    assert shown["Requires-Python"] == "<3.14,>=3.11"
    assert len(shown["Keywords"].split(",")) >= 5
    classifiers = shown.get_all("Classifier", [])
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)} <= set(classifiers)
    assert not shown.get_all("Project-URL"), "none exists yet"
    assert "## Quick start" in str(shown.get_payload())


def test_the_licence_and_the_changelog_are_of_this_version() -> None:
    assert (ROOT / "LICENSE").read_text().startswith("MIT License\n\nCopyright (c) 2026 The Gatekey authors\n")
    versions = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    dated = [version for version, date in versions if date]
    assert dated[0] == VERSION


def test_the_classifiers_exist() -> None:
    from trove_classifiers import classifiers

    assert set(PROJECT["project"]["classifiers"]) <= classifiers
