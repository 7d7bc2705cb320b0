"""docs/keys.md is what the code says."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_keys_is_the_generated_one() -> None:
    generated: str = runpy.run_path(str(DOCS / "keys_page.py"))["page"]()
    assert (DOCS / "keys.md").read_text(encoding="utf-8") == generated, "run: python docs/keys_page.py"
