"""The locks are complete: they are installed without resolving anything, so nothing may be missing from them."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[2]
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS: Final = ("requirements.lock", "requirements-otel.lock", "requirements-dev.lock", "requirements-build.lock")
WITH_TRACES: Final = PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["otel"]
ASKED_FOR: Final = {
    "requirements.lock": PROJECT["project"]["dependencies"],
    "requirements-otel.lock": WITH_TRACES,
    "requirements-dev.lock": WITH_TRACES + PROJECT["dependency-groups"]["dev"],
    "requirements-build.lock": PROJECT["build-system"]["requires"] + PROJECT["dependency-groups"]["build"],
}
MACHINES: Final = [
    {
        "python_version": version,
        "python_full_version": f"{version}.0",
        "sys_platform": platform,
        "platform_system": system,
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    for version in ("3.11", "3.12", "3.13")
    for platform, system in (("linux", "Linux"), ("darwin", "Darwin"))
]


def locked(lock: str) -> list[tuple[Requirement, list[str]]]:
    """Each entry of a lock and its hashes."""
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    lines = [line.partition("#")[0].split() for line in text.splitlines()]
    return [
        (Requirement(" ".join(word for word in words if not word.startswith("--"))), words_of_hash(words))
        for words in lines
        if words
    ]


def words_of_hash(words: Iterable[str]) -> list[str]:
    return [word.removeprefix("--hash=") for word in words if word.startswith("--hash=")]


def by_name(lock: str) -> dict[str, Requirement]:
    return {canonicalize_name(entry.name): entry for entry, _hashes in locked(lock)}


def applies(wanted: Requirement, machine: dict[str, str] | None, extras: Iterable[str]) -> bool:
    """True if a requirement applies on a machine (this one if None) to a package asked for with any of `extras`."""
    return wanted.marker is None or any(
        wanted.marker.evaluate({**(machine or {}), "extra": extra}) for extra in ("", *extras)
    )


def requirements_of(found: Distribution) -> Iterator[Requirement]:
    return (Requirement(line) for line in found.requires or ())


def unmet(
    entries: dict[str, Requirement], asked: Iterable[Requirement], machine: dict[str, str] | None = None
) -> list[str]:
    """Requirements of `asked`, direct or indirect, that `entries` does not pin with their extras.

    The metadata come from the distributions installed here. One for other machines only is not among them: that it is
    pinned is seen, and what it needs in turn is not.
    """
    faults = []
    todo = [("pyproject.toml", wanted) for wanted in asked if applies(wanted, machine, ())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        who, wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        entry = entries.get(name)
        if entry is None or not applies(entry, machine, ()):
            faults.append(f"{who} asks for {wanted}, which is missing")
            continue
        version = next(iter(entry.specifier)).version
        if not wanted.specifier.contains(version, prereleases=True):
            faults.append(f"{who} asks for {wanted}, and {version} is there")
        if not wanted.extras <= entry.extras:
            faults.append(f"{who} asks for {wanted}, and the entry is {entry}")
        state = (name, frozenset(wanted.extras))
        if state in seen:
            continue
        seen.add(state)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue
        todo += [(name, need) for need in requirements_of(found) if applies(need, machine, wanted.extras)]
    return sorted(set(faults))


def test_every_requirement_of_everything_installed_is_met() -> None:
    installed = {canonicalize_name(found.name): found for found in distributions()}
    asked: dict[str, set[str]] = {name: set() for name in installed}
    faults = set()
    grew = True
    while grew:
        grew = False
        for name, found in installed.items():
            for need in requirements_of(found):
                if not applies(need, None, asked[name]):
                    continue
                other = canonicalize_name(need.name)
                if other not in installed:
                    faults.add(f"{name} asks for {need}, which is not installed")
                elif not need.specifier.contains(installed[other].version, prereleases=True):
                    faults.add(f"{name} asks for {need}, and {installed[other].version} is installed")
                elif not need.extras <= asked[other]:
                    asked[other] |= need.extras
                    grew = True
    assert faults == set()
    assert asked["coverage"] == {"toml"}, "the control: an extra asked for by another distribution is followed"


def test_what_is_installed_is_what_is_locked() -> None:
    locks = ("requirements-dev.lock", "requirements-build.lock")
    entries = [entry for lock in locks for entry, _hashes in locked(lock) if applies(entry, None, ())]
    pinned = {entry.name: next(iter(entry.specifier)).version for entry in entries}
    installed = {found.name: found.version for found in map(distribution, pinned)}
    names = {canonicalize_name(name): version for name, version in installed.items()}
    assert names == {canonicalize_name(name): version for name, version in pinned.items()}


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: f"{m['sys_platform']}-{m['python_version']}")
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_every_dependency_with_its_extras(lock: str, machine: dict[str, str]) -> None:
    entries = by_name(lock)
    assert unmet(entries, map(Requirement, ASKED_FOR[lock]), machine) == []


def test_a_lock_without_an_extra_or_a_dependency_is_found_out() -> None:
    asked = [Requirement("pytest-cov>=6")]
    entries = by_name("requirements-dev.lock")
    assert unmet(entries, asked) == []
    bare = Requirement(f"coverage{entries['coverage'].specifier}")
    (extra,) = unmet({**entries, "coverage": bare}, asked)
    assert extra.startswith("pytest-cov asks for coverage[toml]")
    del entries["iniconfig"]
    assert unmet(entries, asked) == ["pytest asks for iniconfig>=1, which is missing"]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_one_version_by_hash_and_names_no_index(lock: str) -> None:
    entries = locked(lock)
    assert len({canonicalize_name(entry.name) for entry, _hashes in entries}) == len(entries)
    for entry, hashes in entries:
        assert [part.operator for part in entry.specifier] == ["=="], entry
        assert hashes, entry
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", text) for text in hashes), entry
    assert "://" not in (ROOT / lock).read_text()


def test_the_locks_agree() -> None:
    pins: dict[str, set[str]] = {}
    for lock in LOCKS:
        for entry, _hashes in locked(lock):
            pins.setdefault(canonicalize_name(entry.name), set()).add(str(entry.specifier))
    assert {name: versions for name, versions in pins.items() if len(versions) > 1} == {}
