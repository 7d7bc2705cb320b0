"""`gatekey serve`: serves the HTTP API, the model relay and the passkey page, and sends notifications."""

import argparse
import os
from typing import Final

from tui.commands.parsing import Commands, port
from tui.store_location import (
    MAX_CONNECTIONS,
    MIN_CONNECTIONS,
    Options,
    connections_from,
    open_account_store,
)

DESCRIPTION = """\
Serve the HTTP API, the relay to the model server and the passkey page until
interrupted, and deliver notifications meanwhile.

It speaks HTTP. Put a proxy that speaks HTTPS in front of it before anyone else
reaches it, and tell it the proxy's network:
  gatekey admin site set gateway.trusted_proxies 10.0.0.0/8

With --workers, a supervisor starts so many processes, and another one when one
dies. SIGHUP starts new ones, for example of a new version, and lets the old ones
finish their requests. Without it, SIGHUP stops the gateway.

With --metrics-port, Prometheus reads the metrics at /metrics on that port. It
asks for no password: keep the port to this machine or to the network of the
monitoring."""

MAX_WORKERS: Final = 64


def _workers(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_WORKERS:
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 to {MAX_WORKERS}")
    return int(text)


def _connections(text: str) -> int:
    if (number := connections_from(text)) is None:
        raise argparse.ArgumentTypeError(f"must be a whole number, {MIN_CONNECTIONS} to {MAX_CONNECTIONS}")
    return number


def add(commands: Commands) -> None:
    parser = commands.add_parser("serve", help="serve the HTTP API and the model relay", description=DESCRIPTION)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=port, default=8787, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--workers", type=_workers, help="processes that serve, 1 to 64, with a supervisor (default: one, without)"
    )
    parser.add_argument(
        "--database-connections",
        type=_connections,
        metavar="N",
        help=f"most connections of each process to PostgreSQL, {MIN_CONNECTIONS} to {MAX_CONNECTIONS} (default: 32, of "
        "which 16 stay open)",
    )
    parser.add_argument("--metrics-port", type=port, help="port of /metrics, for Prometheus (default: no metrics)")
    parser.add_argument(
        "--metrics-host", default="127.0.0.1", help="address of the port of /metrics (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, options: Options) -> int:
    metrics = None if arguments.metrics_port is None else (arguments.metrics_host, arguments.metrics_port)
    descriptors = os.environ.pop("GATEKEY_WORKER", "")
    options = options._replace(connections=arguments.database_connections)
    with open_account_store(options, create=False) as store:
        if descriptors:
            from gateway.worker import run_worker
            from gateway.worker_link import WorkerDescriptors

            return run_worker(store, WorkerDescriptors.read(descriptors))
        if arguments.workers is None:
            from gateway.serve import serve

            return serve(store, host=arguments.host, port=arguments.port, metrics=metrics)
    # The store was opened for its errors alone: each worker opens its own.
    from gateway.serve_workers import own_command, serve_with_workers

    return serve_with_workers(
        own_command(), count=arguments.workers, host=arguments.host, port=arguments.port, metrics=metrics
    )
