"""`gatekey serve`: serves the HTTP API, the model relay and the passkey page, and sends notifications."""

import argparse

from tui.commands.parsing import Commands, port
from tui.store_location import Options, open_account_store

DESCRIPTION = """\
Serve the HTTP API, the relay to the model server and the passkey page until
interrupted, and deliver notifications meanwhile.

It speaks HTTP. Put a proxy that speaks HTTPS in front of it before anyone else
reaches it, and tell it the proxy's network:
  gatekey admin site set gateway.trusted_proxies 10.0.0.0/8

With --metrics-port, Prometheus reads the metrics at /metrics on that port. It
asks for no password: keep the port to this machine or to the network of the
monitoring."""


def add(commands: Commands) -> None:
    parser = commands.add_parser("serve", help="serve the HTTP API and the model relay", description=DESCRIPTION)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=port, default=8787, help="port to listen on (default: %(default)s)")
    parser.add_argument("--metrics-port", type=port, help="port of /metrics, for Prometheus (default: no metrics)")
    parser.add_argument(
        "--metrics-host", default="127.0.0.1", help="address of the port of /metrics (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    with open_account_store(options, create=False) as store:
        from gateway.serve import serve

        metrics = None if arguments.metrics_port is None else (arguments.metrics_host, arguments.metrics_port)
        status: int = serve(store, host=arguments.host, port=arguments.port, metrics=metrics)
        return status
