"""The columns of the logs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from textual.content import Content

from store.money import show_amount
from store.text import sanitize
from store.usage_words import KIND_WORDS
from store.values.usage import Kind, LoggedEntry
from tui.widgets.table_columns import TableColumn

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

NOT_RECORDED: Final = "not recorded"
_UNITS: Final = (("k", 1000), ("M", 1_000_000), ("G", 1_000_000_000))
_ROUNDED_UP: Final = 999.95
"""From here on one decimal would show 1000.0."""
_FINE: Final = frozenset({"ok", "completed"})
_ENDED_BADLY: Final = frozenset({"failed", "expired", "cancelled"})


def usage_columns(zone: tzinfo, now: datetime) -> tuple[TableColumn[LoggedEntry], ...]:
    """Every call."""
    return (
        _time(zone, now),
        TableColumn("Kind", _kind, 5, priority=3),
        _model(),
        TableColumn("In", lambda row: _count(row.entry.prompt_tokens), 6, maximum=6, align="right", priority=2),
        TableColumn("Out", lambda row: _count(row.entry.completion_tokens), 6, maximum=6, align="right", priority=2),
        _cost(),
        _key(4),
        TableColumn("Client IP", _address, 15, minimum=12, maximum=39, priority=5, is_told=_has_address),
        _took(6),
        _status(),
    )


def drawing_columns(zone: tzinfo, now: datetime) -> tuple[TableColumn[LoggedEntry], ...]:
    """Calls that made images."""
    return (
        _time(zone, now),
        _model(),
        TableColumn("Images", lambda row: _count(row.entry.images), 6, align="right", priority=2),
        TableColumn("Size", lambda row: _text(row.entry.image_size), 9, maximum=11, priority=3),
        _cost(),
        _key(4),
        _took(6),
        _status(),
    )


def task_columns(zone: tzinfo, now: datetime) -> tuple[TableColumn[LoggedEntry], ...]:
    """Batches and other long work."""
    return (
        _time(zone, now),
        TableColumn("Task", lambda row: _text(row.entry.request_id), 26, minimum=12, maximum=60),
        TableColumn("Model", lambda row: _text(row.entry.model), 16, minimum=8, maximum=30, priority=5),
        TableColumn("Progress", _progress_cell, 13, minimum=9, align="right", priority=2),
        _cost(),
        _key(4),
        _status(14, minimum=13),
    )


def action_columns(zone: tzinfo, now: datetime) -> tuple[TableColumn[LoggedEntry], ...]:
    """Drawings or tasks of which the account tells the action, and no model and no key."""
    return (
        _time(zone, now),
        TableColumn("Action", lambda row: _text(row.entry.model), 16, minimum=8, maximum=40),
        TableColumn("Id", lambda row: _text(row.entry.request_id), 16, minimum=8, maximum=40, priority=5),
        TableColumn("Done", lambda row: Content(percent(row)), 8, align="right", priority=2),
        _cost(),
        _remark(),
        TableColumn("Took", _took_if_finished, 9, maximum=9, align="right", priority=3, is_extra=True),
        _status(11),
    )


def row_text(zone: tzinfo, row: LoggedEntry) -> str:
    """One line about a call, as it is copied."""
    entry = row.entry
    parts = (
        f"{row.at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}",
        KIND_WORDS[entry.kind],
        entry.model,
        f"in {entry.prompt_tokens:,}",
        f"out {entry.completion_tokens:,}",
        cost_words(row, dollar=True),
        entry.api_key_name,
        entry.client_ip,
        took(entry.duration_ms),
        entry.status,
        entry.request_id,
    )
    return "  ".join(sanitize(part, 200) for part in parts if part)


def cost_words(row: LoggedEntry, *, dollar: bool = False) -> str:
    """The cost with all its decimals, or that there was no price."""
    if row.entry.unpriced and not row.entry.cost_micro_usd:
        return "no price"
    return ("$" if dollar else "") + show_amount(row.entry.cost_micro_usd)


def took(milliseconds: int) -> str:
    """`850 ms`, `5.0 s`, `2 m 5 s`, `3 h 12 m`."""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes} m {seconds} s" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60} m"


def progress(row: LoggedEntry) -> str:
    """`3 of 8`, as far as the model server has told."""
    done, total = row.entry.task_done, row.entry.task_total
    if done is None:
        return "not told" if total is None else f"… of {total:,}"
    return f"{done:,}" if total is None else f"{done:,} of {total:,}"


def percent(row: LoggedEntry) -> str:
    """`45 %`, where the account counts no requests of a task."""
    return "not told" if row.entry.task_done is None else f"{row.entry.task_done} %"


def status_words(row: LoggedEntry) -> Content:
    """The state in its colour, with a mark that tells the same without one."""
    status = sanitize(row.entry.status, 40)
    if row.entry.kind is Kind.ERROR or row.entry.status in _ENDED_BADLY:
        return Content.styled(f"✗ {status}", "$text-error")
    if row.entry.status in _FINE:
        return Content.styled(f"● {status}", "$text-success")
    return Content.styled(f"▲ {status}", "$text-warning")


# -- columns that several logs have ---------------------------------------------------------------------------------


def _time(zone: tzinfo, now: datetime) -> TableColumn[LoggedEntry]:
    here = now.astimezone(zone)
    return TableColumn(f"Time, {sanitize(here.tzname() or '', 6)}", partial(_when, zone, here.year), 11)


def _when(zone: tzinfo, year: int, row: LoggedEntry) -> Content:
    at = row.at.astimezone(zone)
    return Content(f"{at:%m-%d %H:%M}" if at.year == year else f"{at:%Y-%m-%d}")


def _model() -> TableColumn[LoggedEntry]:
    return TableColumn("Model", lambda row: _text(row.entry.model), 20, minimum=12, maximum=60)


def _cost() -> TableColumn[LoggedEntry]:
    return TableColumn("Cost, USD", _cost_cell, 10, minimum=9, maximum=13, align="right", priority=1)


def _cost_cell(row: LoggedEntry) -> Content:
    words = cost_words(row)
    return Content.styled(words, "$foreground-muted") if words == "no price" else Content(words)


def _key(priority: int) -> TableColumn[LoggedEntry]:
    return TableColumn("Key", lambda row: _text(row.entry.api_key_name), 12, minimum=8, maximum=20, priority=priority)


def _took(priority: int) -> TableColumn[LoggedEntry]:
    return TableColumn(
        "Took",
        lambda row: Content(took(row.entry.duration_ms)),
        9,
        maximum=9,
        align="right",
        priority=priority,
        is_extra=True,
    )


def _remark() -> TableColumn[LoggedEntry]:
    """The prompt of a drawing, or why it failed."""
    return TableColumn(
        "Remark",
        lambda row: _text(row.entry.detail),
        20,
        minimum=8,
        maximum=60,
        priority=4,
        wanted=16,
        is_told=lambda row: bool(row.entry.detail),
    )


def _took_if_finished(row: LoggedEntry) -> Content:
    return _text(took(row.entry.duration_ms) if row.entry.duration_ms else "")


def _status(width: int = 9, minimum: int = 7) -> TableColumn[LoggedEntry]:
    return TableColumn("Status", status_words, width, minimum=minimum, maximum=26)


def _kind(row: LoggedEntry) -> Content:
    return Content(KIND_WORDS[row.entry.kind])


def _address(row: LoggedEntry) -> Content:
    if row.entry.client_ip is None:
        return Content.styled(NOT_RECORDED, "$foreground-muted")
    return Content(sanitize(row.entry.client_ip, 45))


def _has_address(row: LoggedEntry) -> bool:
    return row.entry.client_ip is not None


def _progress_cell(row: LoggedEntry) -> Content:
    return Content(progress(row).replace(" of ", "/"))


def _count(number: int) -> Content:
    """At most six cells, so that no digit is ever cut off; the details have the exact number."""
    if number < 100_000:
        return Content(f"{number:,}")
    unit, size = next(found for found in _UNITS if number / found[1] < _ROUNDED_UP)
    return Content(f"{number / size:.1f}{unit}")


def _text(text: str) -> Content:
    """Text from data, or a dash for none."""
    return Content(sanitize(text, 200)) if text else Content.styled("–", "$foreground-muted")
