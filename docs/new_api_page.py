"""Writes `docs/new-api.md`, what differs on a New API server: `python docs/new_api_page.py`.

The promises come from the tests that run in both places, `tests/screens/account_differences.py`, the sentences from the
limits of the account. A test compares the file with the result.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.harness.homes import Place
from tests.screens.account_differences import DIFFERENCES

PAGE: Final = Path(__file__).with_name("new-api.md")
_BUILDS: Final = {Place.FEB: "February 2026", Place.AUG: "August 2026"}
_INTRODUCTION: Final = """\
# What differs on a New API server

`gatekey --server` has the same console for an account on a New API server as for one in a database. Its tabs are tested
in both places by the same tests. These promises do not hold on a server: each has a test that holds for a database, and
has to fail on the builds that are named here. The reason is the sentence that the console shows there, or, where there
is none, what the server does. This file is generated: `python docs/new_api_page.py`.

| what holds for a database | builds where it does not | the reason |
| --- | --- | --- |
"""


def page() -> str:
    """The whole page, in Markdown."""
    rows = []
    for one in DIFFERENCES:
        builds = "both" if len(one.places) == len(_BUILDS) else ", ".join(_BUILDS[place] for place in one.places)
        rows.append(f"| {one.promise} | {builds} | {one.reason} |\n")
    return _INTRODUCTION + "".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
