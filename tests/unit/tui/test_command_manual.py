"""docs/gatekey.1 is what the parser says, and a manual page."""

import re
import runpy
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tests import parts
from tui.command import build_parser
from tui.commands.parser_tree import arguments_of, commands_of, every_parser

pytestmark = pytest.mark.one_interpreter

PAGE: Final = Path(__file__).parents[3] / "docs" / "gatekey.1"
GENERATOR: Final[dict[str, Any]] = runpy.run_path(str(PAGE.with_name("man_page.py")))


def rendered() -> str:
    """The page as groff sets it. Nothing was warned of."""
    command = ["groff", "-man", "-Tutf8", "-ww", "-P-c", "-P-bou", "-rLL=200n", str(PAGE)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"})
    assert ran.stderr == ""
    return ran.stdout


def test_the_manual_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="ascii") == GENERATOR["page"](), "run: python docs/man_page.py"


@pytest.mark.needs(parts.GROFF)
def test_groff_sets_it_without_a_warning_and_nothing_is_lost() -> None:
    page = " ".join(rendered().split())
    for parser in every_parser(build_parser()):
        if not list(commands_of(parser)):
            assert f"{parser.prog} " in page or f"{parser.prog}\n" in page, parser.prog
        for argument in arguments_of(parser):
            assert not argument.option_strings or argument.option_strings[-1] in page
    sections = re.findall(r'^\.SH "?([A-Z ]+)', PAGE.read_text(), re.MULTILINE)
    assert sections[:4] == ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"]


@pytest.mark.needs(parts.GROFF)
@pytest.mark.parametrize("text", [".so /etc/passwd", "'br", r"\fBbold\f1 \n[x]", 'a-b ~ ^ ` \' "q" Zoë', "--opt"])
def test_no_text_is_a_request_or_an_escape(text: str) -> None:
    source = f".TH X 1\n.SH NAME\n{GENERATOR['_text'](text)}\n.SS {GENERATOR['_quoted'](text)}\n"
    command = ["groff", "-man", "-Tutf8", "-ww", "-P-c", "-P-bou", "-rLL=100n"]
    ran = subprocess.run(command, input=source, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    assert ran.stdout.count(" ".join(text.split())) == 2
