"""The export of the usage log."""

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
    """How far an export has come."""

    rows: int
    share: float
    """The part of the log that was read, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class UsageExported:
    """A file that was written."""

    path: Path
    rows: int
