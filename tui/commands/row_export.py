"""The export of a long list by a command: its options, its progress, and its file."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from store.text import pluralize, sanitize
from store.values.row_export import ExportFormat, ExportProgress
from tui.commands import streams
from tui.commands.parsing import Parser
from tui.store_location import Options, new_files

if TYPE_CHECKING:
    from store.row_export import Told

_TELL_EVERY_S: Final = 1.0
"""Seconds between two lines about the progress."""


def add_export_options(parser: Parser) -> None:
    parser.add_argument(
        "--format", choices=[form.value for form in ExportFormat], help="default: by the end of the file's name, or csv"
    )
    parser.add_argument("--output", metavar="FILE", required=True, help="the new file, or - for standard output")


def export_rows(
    arguments: argparse.Namespace,
    options: Options,
    noun: str,
    pieces: "Callable[[ExportFormat, Told], Iterator[str]]",
) -> int:
    """Write what `pieces` gives to the file or to standard output; `noun` is a row in the singular."""
    progress = _Progress()
    written = pieces(_format(arguments), progress.told)
    if arguments.output == "-":
        streams.print_pieces(written)
        return 0
    path = new_files(options).write(Path(arguments.output), written)
    streams.print_status(f"{pluralize(progress.rows, noun)} written to {sanitize(path, 200)}, readable by you alone.")
    return 0


def _format(arguments: argparse.Namespace) -> ExportFormat:
    if arguments.format is not None:
        return ExportFormat(arguments.format)
    ending = arguments.output.casefold().rpartition(".")[2]
    return next((form for form in ExportFormat if form.value == ending), ExportFormat.CSV)


class _Progress:
    """Tells a person at a terminal how far the export has come."""

    def __init__(self) -> None:
        self.rows = 0
        self._started = self._told_at = time.monotonic()
        self._is_shown = sys.stderr is not None and sys.stderr.isatty()

    def told(self, progress: ExportProgress) -> None:
        self.rows = progress.rows
        now = time.monotonic()
        if self._is_shown and now - self._told_at >= _TELL_EVERY_S and progress.share > 0:
            self._told_at = now
            left = (now - self._started) * (1 - progress.share) / progress.share
            streams.print_status(f"{progress.share:4.0%}  {progress.rows:,} written, about {left:.0f} s left")
