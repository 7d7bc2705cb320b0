"""docs/keys.md is what the code says."""

from pathlib import Path

from screens.key_docs import key_table

KEYS = Path(__file__).parents[2] / "docs" / "keys.md"


def test_the_list_of_keys_is_the_generated_one() -> None:
    """If this fails: `python -m screens.key_docs > docs/keys.md`."""
    assert KEYS.read_text(encoding="utf-8") == key_table()
