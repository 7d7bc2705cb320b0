"""The modules that a piece of code loads."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


def loaded_by(code: str) -> set[str]:
    """The modules in memory after a new interpreter ran `code`."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    finished = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True, timeout=120
    )
    names: list[str] = json.loads(finished.stdout.splitlines()[-1])
    return set(names)
