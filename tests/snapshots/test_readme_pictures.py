"""The pictures of README are those of the present console."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_pictures_of_the_readme_are_the_drawn_ones() -> None:
    drawn: dict[str, str] = runpy.run_path(str(DOCS / "pictures.py"))["pictures"]()
    kept = {path.stem: path.read_text(encoding="utf-8") for path in (DOCS / "pictures").iterdir()}
    assert set(kept) == set(drawn)
    for name, picture in drawn.items():
        assert kept[name] == picture, f"{name}: look at it after `python docs/pictures.py`"
