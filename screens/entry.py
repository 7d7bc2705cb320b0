"""The entry point of the command `gatekey`: the command line of `tui`, given the consoles of `screens`."""

from __future__ import annotations

import sys

from tui.first_answers import answered

TYPE_CHECKING = False  # `typing` takes longer than `gatekey --version`
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssh.fork_request import Arrival, WaitForArrival
    from tui.ssh_service import SshPlace
    from tui.store_location import Options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    if answered(sys.argv[1:] if arguments is None else arguments):
        return 0
    from tui import command

    return command.main(open_console, serve_ssh, arguments)


def open_console(options: Options) -> int:
    """Open the console; returns its exit status. Only this imports Textual."""
    from tui.late_tls import import_asyncio

    import_asyncio()
    from screens.app import run_console

    return run_console(options)


def serve_ssh(options: Options, place: SshPlace) -> int:
    """Serve the console over SSH; returns the exit status. Only the process that forks consoles imports Textual."""
    from ssh.server import serve

    def run_zygote(wait: WaitForArrival) -> int:
        from screens.prepared_console import run_prepared

        return run_prepared(options, wait, open_alone)

    def open_alone(arrival: Arrival) -> int:
        request = arrival.request
        if request.command is not None:
            from ssh.priority import step_back
            from tui.ssh_command import run_command

            step_back()
            return run_command(options, request.answer, request.command, arrival.announce, request.fetch_place)
        from screens.ssh_console import run_console

        return run_console(options, arrival)

    return serve(options, place, run_zygote)
