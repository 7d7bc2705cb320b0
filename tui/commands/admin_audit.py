"""`gatekey admin verify-audit`: checks the audit log for altered and removed events."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from store import private_file
from store.errors import FilesOff, NoSuchItem, OutputFailed
from store.text import sanitize
from tui.commands import streams
from tui.commands.parsing import Commands
from tui.store_location import Options, new_files, open_account_store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from store.audit_checkpoint import Checkpoint
    from store.store import Store

DESCRIPTION = """\
Check the audit log: every account's chain of events, the site's, and whether all of
them end where they did when the last event was recorded. Or check one account. The
status is 1 if an event was altered, removed or slipped in; the first that does not
fit is named.

A database that was set back as a whole, to a copy of itself, is flawless from within.
--checkpoint FILE tells that: it compares the log with what FILE remembers, and writes
where it stands now, if all is well. Keep FILE where the database's host cannot write,
or send the checkpoint there with --syslog."""

_SYSLOG_SOCKET: Final = Path("/dev/log")
_AUTHPRIV_FACILITY: Final = 10
_NOTICE_SEVERITY: Final = 5
"""See RFC 5424, 6.2.1."""
_MAX_CHECKPOINT_BYTES: Final = 256 * 1024 * 1024


def add(commands: Commands) -> None:
    parser = commands.add_parser("verify-audit", help="check the audit log for tampering", description=DESCRIPTION)
    parser.add_argument("name", metavar="NAME", nargs="?", help="one account (default: all there is)")
    parser.add_argument("--checkpoint", metavar="FILE", type=Path, help="compare with FILE, then write it anew")
    parser.add_argument("--syslog", action="store_true", help="send a checkpoint to the system's log as well")
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace, options: Options) -> int:
    if arguments.name and (arguments.checkpoint or arguments.syslog):
        arguments.parser.error("a checkpoint is of the whole log: leave the name out")
    if arguments.checkpoint and options.no_files:
        raise FilesOff
    earlier = _read(arguments.checkpoint) if arguments.checkpoint else None
    with open_account_store(options, create=False) as store:
        if arguments.name:
            account = store.accounts.find(arguments.name)
            with store.database.read() as tx:
                return _print_verdict(account.name, store.audit.verify(tx, account.id))
        with store.database.read() as tx:
            found, checkpoint = _check_all(store, tx, earlier)
    if found:
        return 1
    if arguments.checkpoint:
        if earlier is None:
            new_files(options).write(arguments.checkpoint, checkpoint.serialise())
        else:
            _write(arguments.checkpoint, checkpoint.serialise())
        streams.print_status(f"Wrote where the log stands now to {arguments.checkpoint}.")
    if arguments.syslog:
        _send(checkpoint.summary())
        streams.print_status("Sent a checkpoint to the system's log.")
    return 0


def _check_all(store: "Store", tx: "Connection", earlier: "Checkpoint | None") -> "tuple[int, Checkpoint]":
    """Check everything and print a line for each chain; returns the number of failures, and a new checkpoint."""
    from store import audit_checkpoint

    names = {account.id: account.name for account in store.accounts.all_in(tx)}
    report = store.audit.verify_all(tx)
    found = sum(
        _print_verdict(names.get(account, str(account)), chain.broken_at) for account, chain in report.accounts.items()
    )
    found += _print_verdict("the site", report.site.broken_at)
    if report.is_bound:
        streams.print_data("all together  ok")
    else:
        streams.print_data("all together  fail: a chain was set back or removed, or the head of all chains was altered")
        found += 1
    if earlier is not None:
        sentences = list(audit_checkpoint.compare(tx, store.context.ring, report, earlier))
        for sentence in sentences:
            streams.print_data(sanitize(f"since {earlier.at:%Y-%m-%d %H:%M}  fail: {sentence}"))
        if not sentences:
            streams.print_data(f"since {earlier.at:%Y-%m-%d %H:%M}  ok")
        found += len(sentences)
    return found, audit_checkpoint.checkpoint_of(report, store.context.now())


def _print_verdict(subject: str, broken_at: int | None) -> int:
    streams.print_data(f"{sanitize(subject)}  {'ok' if broken_at is None else f'fail: event {broken_at} does not fit'}")
    return 0 if broken_at is None else 1


def _read(path: Path) -> "Checkpoint | None":
    """The checkpoint in `path`, or None if the file does not exist yet."""
    from store import audit_checkpoint

    try:
        with path.open("rb") as file:
            return audit_checkpoint.parse(file.read(_MAX_CHECKPOINT_BYTES).decode("utf-8", "replace"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NoSuchItem(f"The checkpoint {path} cannot be read: {error.strerror}.") from error


def _write(path: Path, text: str) -> None:
    """Replace `path` atomically by a file of mode 0600. Raises `OutputFailed`."""
    try:
        private_file.replace(path, text.encode(), prefix=".checkpoint-")
    except OSError as error:
        raise OutputFailed(f"The checkpoint {path} cannot be written: {error.strerror}.") from error


def _send(line: str) -> None:
    """Send a line to syslog(3), facility authpriv, which only administrators can read. Raises `OutputFailed`."""
    import socket

    priority = (_AUTHPRIV_FACILITY << 3) | _NOTICE_SEVERITY
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.connect(str(_SYSLOG_SOCKET))
            log.send(f"<{priority}>gatekey: {line}".encode())
    except OSError as error:
        raise OutputFailed("The system's log does not take messages. Nothing was sent.") from error
