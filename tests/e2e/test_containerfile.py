"""The Containerfile: what can be asked of it without a container engine."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Final

import pytest

from gateway import background, serve
from tests.e2e.installed import PATIENCE, Home
from tui.command import build_parser

ROOT: Final = Path(__file__).parents[2]
TEXT: Final = (ROOT / "Containerfile").read_text()
INSTRUCTIONS: Final = [
    tuple(re.split(r"\s+", line, maxsplit=1))
    for line in TEXT.replace("\\\n", " ").splitlines()
    if line and not line.startswith("#")
]
PACKAGES: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]


def given(name: str) -> list[str]:
    return [rest for instruction, rest in INSTRUCTIONS if instruction == name]


def copied() -> list[tuple[list[str], str]]:
    """Sources and target of each COPY from the checkout."""
    words = [rest.split() for rest in given("COPY") if not rest.startswith("--from")]
    return [(sources, target) for *sources, target in words]


def steps(text: str) -> list[list[str]]:
    """The arguments of each pip install in shell text."""
    commands = [shlex.split(part) for part in re.split(r"&&|\n", text)]
    return [words[2:] for words in commands if words[1:2] == ["install"] and words[0].endswith("/pip")]


def test_it_installs_as_the_readme_does() -> None:
    (readme,) = [line for line in (ROOT / "README.md").read_text().splitlines() if line.endswith(".venv/bin/gatekey")][
        :1
    ]
    ours = [[word for word in words if word != "--no-cache-dir"] for words in steps("\n".join(given("RUN")))]
    assert ours == steps(readme)
    assert "--require-hashes" in ours[0]


def test_what_is_copied_exists_and_builds_the_whole_wheel(tmp_path: Path) -> None:
    context, ignored = tmp_path / "context", shutil.ignore_patterns("__pycache__")
    for sources, target in copied():
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, context / target, ignore=ignored)
            else:
                (context / target).mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, context / target)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d"]
    names: list[set[str]] = []
    for checkout in (context, ROOT):
        folder = tmp_path / f"wheel {len(names)}"
        subprocess.run([*command, str(folder)], cwd=checkout, check=True, capture_output=True)
        (built,) = folder.glob("*.whl")
        with zipfile.ZipFile(built) as wheel:
            names.append(set(wheel.namelist()))
    assert names[0] == names[1]
    assert {source for sources, _ in copied() for source in sources} >= set(PACKAGES["packages"])


def test_the_build_is_sent_all_that_is_copied() -> None:
    sent = {line[2:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!/")}
    assert sent == {source for sources, _ in copied() for source in sources}


def test_it_runs_without_rights_on_a_python_that_is_supported() -> None:
    (given_user,) = given("USER")
    user, group = given_user.split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert f"--uid {user} --gid {group} " in " ".join(given("RUN"))
    images = {rest.split()[0] for rest in given("FROM")}
    assert len(images) == 1, "the environment keeps the path of its interpreter"
    assert re.fullmatch(r"docker\.io/library/python:3\.1[1-3]-slim", images.pop())


def test_the_health_check_is_part_of_what_is_built_as_told() -> None:
    """Podman's own format has none, and drops it with a warning."""
    assert given("HEALTHCHECK")
    told = re.findall(r"podman build [^`\n]*", TEXT + (ROOT / "README.md").read_text())
    assert len(told) == 2
    assert all("--format docker" in command for command in told)


def test_a_stop_waits_for_streams_as_long_as_the_gateway_does() -> None:
    told = re.findall(r"--stop-timeout (\d+)", TEXT + (ROOT / "README.md").read_text())
    assert len(told) == 2
    assert all(int(seconds) >= serve.SHUTDOWN_GRACE_S + background.SHUTDOWN_GRACE_S for seconds in told)


def test_its_command_is_one_of_gatekey() -> None:
    assert [json.loads(rest) for rest in given("ENTRYPOINT")] == [["gatekey"]]
    parsed = build_parser().parse_args(json.loads(given("CMD")[0]))
    assert (parsed.command, parsed.host, parsed.no_files) == ("serve", "0.0.0.0", True)  # noqa: S104
    assert str(parsed.port) in given("EXPOSE")[0].split()


def check_health(port: int) -> int:
    (rest,) = given("HEALTHCHECK")
    program: list[str] = json.loads(rest.partition(" CMD ")[2])
    assert program[0] == "python"
    assert ", 8787," in program[2]
    command = [sys.executable, program[1], program[2].replace(", 8787,", f", {port},")]
    return subprocess.run(command, stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False).returncode


@pytest.mark.parametrize("workers", [[], ["--workers", "2"]], ids=["one process", "two workers"])
def test_its_health_check_asks_what_serve_answers(home: Home, workers: list[str]) -> None:
    home.add_account("alice")
    with home.serving(*json.loads(given("CMD")[0])[:2], *workers) as serving:
        assert check_health(serving.port) == 0
    assert check_health(serving.port) != 0, "nobody answers any more"
