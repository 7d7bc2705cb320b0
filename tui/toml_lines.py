"""Line numbers of the entries of a TOML file, which `tomllib` does not report."""

import re
from typing import Final

_HEADER: Final = re.compile(r"\[+\s*[\"']?(?P<name>[^\"'\]]*?)[\"']?\s*\]")
_ENTRY: Final = re.compile(
    r"(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[A-Za-z0-9_-]+)[A-Za-z0-9_.-]*)\s*="
)


def lines_of(text: str) -> dict[tuple[str, str], int]:
    """The line, from 1, of each table (key: its name and "") and of each entry (key: its table and its name).

    A dotted name such as `tab.save` counts as `tab`, as in `tomllib`. Inline tables are left out.
    """
    lines: dict[tuple[str, str], int] = {}
    table = ""
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if header := _HEADER.match(line):
            table = header["name"]
            lines.setdefault((table, ""), number)
        elif entry := _ENTRY.match(line):
            name = entry["double"] or entry["single"] or entry["bare"] or ""
            lines.setdefault((table, name) if table else (name, ""), number)
    return lines
