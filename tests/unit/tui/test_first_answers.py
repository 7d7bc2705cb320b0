"""The answers that are given before the command line is imported."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.harness.command_line import Shell
from tests.harness.pty_terminal import PtyTerminal
from tui.command import build_parser
from tui.first_answers import HELP_COLUMNS
from tui.version import VERSION

ROOT: Final = Path(__file__).parents[3]
OURS: Final = {"__future__", "screens", "screens.entry", "tui", "tui.first_answers", "tui.version"}
"""All that these answers may import. argparse alone takes as long as the start of the interpreter."""
SCRIPT: Final = """\
import json, os, sys
before = set(sys.modules)
from screens.entry import main
print(json.dumps([main(sys.argv[1:]), sorted(set(sys.modules) - before)]))
"""
"""What the installed script does; its own module `re` is pip's choice."""


@pytest.mark.parametrize("question", ["--version", "--help", "-h"])
def test_an_answer_imports_next_to_nothing(question: str) -> None:
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    ran = subprocess.run([sys.executable, "-c", SCRIPT, question], capture_output=True, text=True, check=True, env=env)
    status, imported = json.loads(ran.stdout.splitlines()[-1])
    assert status == 0
    assert "tui.first_answers" in imported
    assert set(imported) <= OURS


@pytest.mark.one_interpreter
def test_the_help_is_the_parsers() -> None:
    generated: str = runpy.run_path(str(ROOT / "docs" / "help_text.py"))["text"]()
    assert (ROOT / "tui" / "help.txt").read_text(encoding="utf-8") == generated, "run: python docs/help_text.py"
    assert max(map(len, generated.splitlines())) <= HELP_COLUMNS


def test_the_version_is_that_of_the_parser_too(shell: Shell) -> None:
    first, parsed = shell.run("--version"), shell.run("--no-files", "--version")
    assert (first.status, first.out) == (parsed.status, parsed.out) == (0, f"gatekey {VERSION}\n")


def test_a_wide_terminal_gets_the_page_and_a_narrow_one_its_own_lines() -> None:
    help_lines = {}
    for columns in (50, 100):
        command = [sys.executable, "-c", "from screens.entry import main; main(['--help'])"]
        with PtyTerminal(command, columns=columns, lines=70, cwd=ROOT) as terminal:
            assert terminal.exit_code(60) == 0
            help_lines[columns] = [line.rstrip() for line in terminal.screen_text().rstrip().splitlines()]
    assert help_lines[100] == (ROOT / "tui" / "help.txt").read_text(encoding="utf-8").rstrip().splitlines()
    assert help_lines[50] != help_lines[100]
    assert max(len(line) for line in help_lines[50] if line.startswith(" ")) <= 50


def test_columns_decides_as_argparse_reads_it(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert shell.run("--help").out == build_parser(()).format_help()


@pytest.mark.parametrize("locale", ["C.UTF-8", "C", "en_US.UTF-8"])
@pytest.mark.parametrize("line", ["--version", "--help", "serve --help", "admin site set --help", "--no-files --help"])
def test_an_answer_that_cannot_be_written_is_a_failure_with_a_sentence(line: str, locale: str) -> None:
    script = "import sys; from screens.entry import main; sys.exit(main())"
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            [sys.executable, "-c", script, *line.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, "LC_ALL": locale},
        )
    assert ran.returncode == 1
    assert ran.stderr.startswith("gatekey: The output was lost.")
    assert ran.stderr.count("\n") == 1
