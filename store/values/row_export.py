"""The export of a list of the account: its usage log, or its ledger."""

from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class ExportFormat(StrEnum):
    """The format of the file."""

    CSV = "csv"
    """RFC 4180, with the names of the columns in the first line."""
    JSON = "json"
    """One array."""
    JSONL = "jsonl"
    """One object per line."""


class ExportProgress(NamedTuple):
    """The progress of an export."""

    rows: int
    share: float
    """The part of the list that was read, from 0 to 1."""


class Exported(NamedTuple):
    """A file that was written."""

    path: Path
    rows: int
