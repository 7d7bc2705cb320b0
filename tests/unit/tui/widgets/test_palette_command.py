"""A command is found by words of its title first, then by other words, then by letters in order."""

import pytest
from textual.content import Content

from tui.widgets.palette_command import PaletteCommand

EXPORT = PaletteCommand("Export your data", "One JSON file", print, key="e", words="download backup gdpr")


@pytest.mark.parametrize("search", ["export", "exp", "data your", "backup", "GDPR", "json", "down data"])
def test_every_word_of_a_search_begins_a_word_of_the_command(search: str) -> None:
    assert EXPORT.score(search, fuzzy=0.0) > 1


@pytest.mark.parametrize("search", ["xport", "backup 2fa", "zzz"])
def test_otherwise_only_the_letters_of_the_title_count(search: str) -> None:
    assert EXPORT.score(search, fuzzy=0.0) == 0
    assert EXPORT.score(search, fuzzy=0.4) == 0.4


def test_the_title_counts_most_and_a_whole_word_more_than_its_beginning() -> None:
    scores = [EXPORT.score(search, 0.0) for search in ("export", "expo", "backup", "back", "json", "js")]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len(scores)


@pytest.mark.parametrize("width", [24, 36, 44, 60, 90])
def test_the_key_is_at_the_right_end_and_the_explanation_gives_way(width: int) -> None:
    line = EXPORT.draw(Content(EXPORT.title), width).plain
    assert len(line) == width
    assert line.startswith("Export your data")
    assert line.endswith("  e")
    assert ("One JSON" in line) == (width >= 36)
