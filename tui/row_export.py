"""The writing of an exported list, with the number of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.values.row_export import Exported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from store.row_export import Told
    from store.values.row_export import ExportProgress


def write_rows(save: Callable[[Iterator[str]], Path], pieces: Callable[[Told], Iterator[str]], told: Told) -> Exported:
    """Save `pieces`, which tell their progress, by `save`. It blocks: call it in a thread.

    Raises what `pieces`, `save` and `told` raise.
    """
    rows = 0

    def count(progress: ExportProgress) -> None:
        nonlocal rows
        rows = progress.rows
        told(progress)

    return Exported(save(pieces(count)), rows)
