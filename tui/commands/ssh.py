"""`gatekey ssh`: serves the console over SSH, without sshd and without a system user."""

import argparse
from pathlib import Path

from tui.commands.parsing import Commands, port
from tui.ssh_service import SshPlace
from tui.store_location import Options

DESCRIPTION = """\
Serve the console over SSH until interrupted: ssh -p 2222 NAME@HOST opens the
account NAME with a registered key, or after its password and code, and
ssh -p 2222 NAME@HOST COMMAND runs one command of that account (help lists
them). Nothing else can be reached through it: no shell, no file and no forwarding.

The host key is made at the first start, and its fingerprint is printed at every
start and by gatekey doctor."""


def add(commands: Commands) -> None:
    parser = commands.add_parser("ssh", help="serve the console over SSH", description=DESCRIPTION)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=port, default=2222, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--host-key", metavar="FILE", type=Path, help="the host key (default: beside the key file; made if missing)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    # The server lies above this layer: `tui.command` hands it in.
    status: int = arguments.serve_ssh(options, SshPlace(arguments.host, arguments.port, arguments.host_key))
    return status
