"""A long list as CSV, JSON or JSON Lines, page by page: the memory does not grow with the list."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final, TypeAlias

from store.values.row_export import ExportFormat, ExportProgress

Told: TypeAlias = Callable[[ExportProgress], None]
"""Called after each page. An exception of it ends the export."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""First characters with which a spreadsheet takes a cell for a formula (OWASP, CSV Injection)."""


@dataclass(frozen=True, slots=True)
class ExportPage:
    """Rows by the names of their columns, and the part of the list that is read with them, from 0 to 1."""

    rows: Sequence[Mapping[str, Any]]
    share: float


def export_pieces(
    pages: Iterable[ExportPage], form: ExportFormat, columns: Sequence[str], texts: Set[str], told: Told
) -> Iterator[str]:
    """The file in pieces. `texts` are the columns whose values could be formulas."""
    yield {ExportFormat.CSV: ",".join(columns) + "\r\n", ExportFormat.JSON: "["}.get(form, "")
    count = 0
    for page in pages:
        if form is ExportFormat.CSV:
            yield _csv(page.rows, texts)
        elif form is ExportFormat.JSON:
            yield _json(page.rows, is_first=not count)
        else:
            yield "".join(f"{_object(row)}\n" for row in page.rows)
        count += len(page.rows)
        told(ExportProgress(count, page.share))
    yield {ExportFormat.JSON: "\n]\n" if count else "]\n"}.get(form, "")


def _csv(rows: Sequence[Mapping[str, Any]], texts: Set[str]) -> str:
    text = StringIO()
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([_cell(value, is_text=name in texts) for name, value in row.items()])
    return text.getvalue()


def _cell(value: object, *, is_text: bool) -> object:
    """A value as a spreadsheet takes it. A text that would be a formula begins with an apostrophe."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_text and isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _json(rows: Sequence[Mapping[str, Any]], *, is_first: bool) -> str:
    lines = ",\n".join(_object(row) for row in rows)
    return "" if not lines else ("\n" if is_first else ",\n") + lines


def _object(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))
