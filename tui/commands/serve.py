"""`gatekey serve`: serves the HTTP API, the model relay and the passkey page, and sends notifications."""

import argparse

from tui.commands.parsing import Commands, port
from tui.store_location import Options, open_account_store

DESCRIPTION = """\
Serve the HTTP API, the relay to the model server and the passkey page until
interrupted, and deliver notifications meanwhile.

It speaks HTTP. Put a proxy that speaks HTTPS in front of it before anyone else
reaches it, and tell it the proxy's network:
  gatekey admin site set gateway.trusted_proxies 10.0.0.0/8"""


def add(commands: Commands) -> None:
    parser = commands.add_parser("serve", help="serve the HTTP API and the model relay", description=DESCRIPTION)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=port, default=8787, help="port to listen on (default: %(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    with open_account_store(options, create=False) as store:
        from gateway.serve import serve

        status: int = serve(store, host=arguments.host, port=arguments.port)
        return status
