"""The recorded exchanges as data. README.md beside this file says what the fields mean."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.new_api.generations import Generation

HERE: Final = Path(__file__).parent

COUNTS: Final = {Generation.FEB: 291, Generation.AUG: 147}
"""So many exchanges were recorded of each build."""

SENT_BY_SERVER: Final = "a warning sent to a receiver: no client asks for it, and the stand-in warns nobody"
NOT_REPLAYED: Final = {
    **{(Generation.FEB, number): SENT_BY_SERVER for number in range(258, 270)},
    (Generation.AUG, 134): SENT_BY_SERVER,
}
"""Exchanges that are not replayed, and why."""


@cache
def recorded(generation: Generation) -> list[dict[str, Any]]:
    """All exchanges of a build, in order."""
    lines = (HERE / f"{generation.value}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]
