"""The export of a list of the account: its usage log, or its ledger."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class ExportFormat(StrEnum):
    """The format of the file."""

    CSV = "csv"
    """RFC 4180, with the names of the columns in the first line."""
    JSON = "json"
    """One array."""
    JSONL = "jsonl"
    """One object per line."""


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """The progress of an export."""

    rows: int
    share: float
    """The part of the list that was read, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was written."""

    path: Path
    rows: int
