"""`gatekey completion`: what a shell offers is what the parser takes."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from store.site_switches import SWITCHES
from tests import parts
from tests.harness.command_line import Shell
from tests.harness.pty_terminal import PtyTerminal
from tui.command import build_parser
from tui.commands.completion import SHELLS, script
from tui.commands.parser_tree import commands_of, every_parser
from tui.commands.settings_fields import FIELDS

pytestmark = pytest.mark.one_interpreter

BASH: Final = """\
source {script}
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=()
_shtab_gatekey gatekey "${{COMP_WORDS[COMP_CWORD]}}" ""
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
TOP: Final = {command.prog.split()[-1] for command, _ in commands_of(build_parser())}
OFFERS: Final = [
    ("gatekey adm", {"admin"}),
    ("gatekey admin site ", {"show", "set", "unset"}),
    ("gatekey --database x admin u", {"user", "upgrade"}),
    ("gatekey admin site set smtp.p", {"smtp.password", "smtp.port"}),
    ("gatekey admin site unset smtp.po", {"smtp.port"}),
    ("gatekey settings set privacy.", {name for name in FIELDS if name.startswith("privacy.")}),
    ("gatekey keys create --ra", {"--rate"}),
    ("gatekey completion ", set(SHELLS)),
    ("gatekey backup pla", {"planted.backup", "planted"}),
    ("gatekey --key-file pla", {"planted.backup", "planted"}),
    ("gatekey admin upgrade --backup-to pla", {"planted"}),
    ("gatekey admin provider add --issuer pla", set()),
]
"""A line as it is typed, and what is offered for its last word."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "planted").mkdir()
    (tmp_path / "planted.backup").touch()
    return tmp_path


@pytest.fixture
def written(folder: Path, shell: Shell) -> Callable[[str], Path]:
    """Writes the completion of a shell, as `gatekey completion` prints it; returns the path."""

    def write(name: str) -> Path:
        ran = shell.run("completion", name)
        assert (ran.status, ran.err) == (0, "")
        path = folder / f"completion.{name}"
        path.write_text(ran.out)
        return path

    return write


def answer(folder: Path, *command: str) -> list[str]:
    env = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"}
    ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    return ran.stdout.splitlines()


@pytest.mark.parametrize(("line", "offered"), OFFERS, ids=[line for line, _ in OFFERS])
def test_bash_completes(written: Callable[[str], Path], folder: Path, line: str, offered: set[str]) -> None:
    *words, last = line.split(" ")
    program = BASH.format(script=written("bash"), words=" ".join([*words, last or "''"]))
    assert set(filter(None, answer(folder, "bash", "-c", program))) == offered


@pytest.mark.needs(parts.FISH)
@pytest.mark.parametrize(("line", "offered"), OFFERS, ids=[line for line, _ in OFFERS])
def test_fish_completes(written: Callable[[str], Path], folder: Path, line: str, offered: set[str]) -> None:
    found = answer(folder, "fish", "--private", "-c", f"source {written('fish')}; complete -C '{line}'")
    # Behind a tab stands what it is. fish also offers what contains the word, and a slash behind a folder.
    names = {name.partition("\t")[0].rstrip("/") for name in found}
    assert {name for name in names if name.startswith(line.rpartition(" ")[2])} == offered


@pytest.mark.needs(parts.ZSH)
def test_zsh_takes_the_file(written: Callable[[str], Path], folder: Path) -> None:
    path = written("zsh")
    assert path.read_text().startswith("#compdef gatekey\n")
    assert answer(folder, "zsh", "-f", "-n", str(path)) == []


@pytest.mark.needs(parts.ZSH)
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("gatekey admin site set smtp.p", ("smtp.password", "smtp.port")),
        ("gatekey --database x admin ", ("ssh-key", "verify-audit")),
        ("gatekey keys create --ra", ("--rate",)),
        ("gatekey backup planted", ("planted.backup",)),
    ],
)
def test_zsh_completes(written: Callable[[str], Path], folder: Path, typed: str, offered: tuple[str, ...]) -> None:
    written("zsh").rename(folder / "_gatekey")
    (folder / ".zshrc").write_text(f"fpath=({folder} $fpath)\nautoload -U compinit\ncompinit -D -u\nPS1='ready> '\n")
    env = {"ZDOTDIR": str(folder), "HOME": str(folder), "LANG": "C.UTF-8"}
    with PtyTerminal(["zsh", "-d", "-i"], columns=100, lines=30, env=env, cwd=folder) as terminal:
        terminal.wait_for("ready>")
        terminal.type(f"{typed}\t")
        terminal.wait_for(lambda shown: all(name in shown.screen_text() for name in offered))
        assert "no matches" not in terminal.screen_text()


def test_zsh_offers_the_commands_of_each_command_and_no_others() -> None:
    parser = build_parser()
    made = script(parser, "zsh")
    families = 0
    for each in every_parser(parser):
        own = {command.prog.split()[-1]: line for command, line in commands_of(each)}
        if own:
            families += 1
            head = f"\n_shtab_{re.sub(r'[^a-z0-9]', '_', each.prog)}_commands() {{\n"
            block = made.partition(head)[2].partition("\n}\n")[0]
            assert dict.fromkeys(re.findall(r"^ +([\w-]+):'", block, re.MULTILINE)).keys() == own.keys(), each.prog
    assert families > 10


@pytest.mark.parametrize("name", SHELLS)
def test_a_command_is_explained_by_its_line_in_the_help(name: str) -> None:
    made = script(build_parser(), name)
    assert "relay" in build_parser().format_help()
    if name != "bash":
        assert "serve the HTTP API and the model relay" in made
        assert "Serve the HTTP API" not in made
    assert all(word in made for word in TOP | set(SWITCHES))


def test_another_shell_is_refused(shell: Shell) -> None:
    ran = shell.run("completion", "tcsh")
    assert ran.status == 2
    assert "'bash', 'zsh', 'fish'" in ran.err


def test_nothing_else_imports_shtab() -> None:
    program = "import sys; from tui.command import build_parser; build_parser(); print('shtab' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
