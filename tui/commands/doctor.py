"""`gatekey doctor`: checks the installation, a line for each check."""

import argparse
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

from store.text import sanitize
from tui.commands import streams
from tui.commands.findings import Finding, Level
from tui.commands.parsing import Commands
from tui.store_location import Options

DESCRIPTION: Final = """\
Look at the database, its key, the clock, the site's switches, the ways in through
sshd and the terminal, and say what is wrong and what to do about it: ok, warn or fail, a line each. Nothing is
changed. The status is 1 if anything fails."""


def add(commands: Commands) -> None:
    parser = commands.add_parser("doctor", help="check that all is well, a line each", description=DESCRIPTION)
    parser.add_argument("--json", action="store_true", help="as one JSON document")
    parser.add_argument(
        "--sshd-config",
        metavar="FILE",
        type=Path,
        help="the configuration of sshd to look at (default: /etc/ssh/sshd_config)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    findings = list(examine(options, arguments.sshd_config))
    if arguments.json:
        streams.print_json([asdict(finding) for finding in findings])
    else:
        width = max(len(finding.subject) for finding in findings)
        for finding in findings:
            streams.print_data(
                sanitize(f"{finding.level:<4}  {finding.subject:<{width}}  {finding.sentence} {finding.fix}".rstrip())
            )
    return 1 if any(finding.level is Level.FAIL for finding in findings) else 0


def examine(options: Options, sshd_config: Path | None = None) -> Iterator[Finding]:
    """Every finding. A check comes after those that it depends on."""
    from tui.commands import doctor_data, doctor_host_key, doctor_keys, doctor_site, doctor_ssh, doctor_terminal
    from tui.config_location import config_path, load_config

    yield from doctor_data.examine(options, os.environ)
    yield from doctor_site.examine(options, os.environ)
    yield from doctor_ssh.examine(os.environ, sshd_config)
    yield from doctor_host_key.examine(options, os.environ)
    path = config_path()
    config = load_config(path)
    yield from doctor_terminal.examine(os.environ, config)
    yield from doctor_keys.examine(path, config)
