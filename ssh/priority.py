"""The priority of a console."""

import os
from typing import Final

NICENESS: Final = 5
"""Added once a console is drawn. The front process, the zygote and the start of another console go first."""


def step_back() -> None:
    """Give way to others from now on. On Linux it is for the calling thread, and those that it starts (nice(2))."""
    os.nice(NICENESS)
