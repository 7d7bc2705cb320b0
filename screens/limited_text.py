"""Texts of the screens where the account can do less than a store."""

from __future__ import annotations


def reworded(text: str, *changes: tuple[str, str, str]) -> str:
    """`text` with a part in other words for each limit that the account has.

    A change is a limit, which is empty where there is none, the part, and its other words, or an empty text. Raises
    ValueError for a part that is not in the text.
    """
    for limit, part, instead in changes:
        if limit:
            before, found, after = text.partition(part)
            if not found:
                raise ValueError(part)
            text = f"{before}{instead}{after}"
    return text
