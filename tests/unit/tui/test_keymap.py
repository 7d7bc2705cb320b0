"""The person's own file: what it says holds, and what is wrong in it is one sentence that helps."""

from pathlib import Path

import pytest

from store.errors import InvalidSetting
from tui.keymap import UNBOUND, ConsoleConfig, config_path, load_config

IDS = ("tab.save", "tab.next", "app.sidebar")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


def test_no_file_says_nothing(path: Path) -> None:
    assert load_config(path, IDS) == ConsoleConfig()


def test_an_empty_file_says_nothing(path: Path) -> None:
    path.write_text("")
    assert load_config(path, IDS) == ConsoleConfig()


def test_a_whole_file(path: Path) -> None:
    path.write_text(
        """
        [keys]
        "tab.save" = "ctrl+s, f5"
        "tab.next" = "]"
        "app.sidebar" = "none"
        [console]
        theme = "gatekey-light"
        idle_lock_minutes = 60
        animations = "basic"
        """
    )
    config = load_config(path, IDS)
    assert dict(config.keys) == {"tab.save": "ctrl+s,f5", "tab.next": "]", "app.sidebar": UNBOUND}
    assert (config.theme, config.idle_lock_minutes, config.animations) == ("gatekey-light", 60, "basic")


@pytest.mark.parametrize(
    "keys",
    ["f1", "?", "comma", "left_square_bracket", "ctrl+pagedown", "shift+tab", "A", "slash", "ctrl+alt+x", "ä"],
)
def test_every_kind_of_key_is_accepted(path: Path, keys: str) -> None:
    path.write_text(f'[keys]\n"tab.save" = "{keys}"\n')
    assert load_config(path, IDS).keys["tab.save"] == keys


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[keys]\n"tab.sve" = "f5"', ["'tab.sve' is not a key id", "did you mean 'tab.save'?"]),
        ('[keys]\n"zzz" = "f5"', ["'zzz' is not a key id."]),
        ('[keys]\n"tab.save" = 5', ["tab.save must be keys in quotes"]),
        ('[keys]\n"tab.save" = "contrl+s"', ["tab.save", "'contrl+s' is not a key"]),
        ('[keys]\n"tab.save" = "pagedwn"', ["'pagedwn' is not a key; did you mean 'pagedown'?"]),
        ('[keys]\n"tab.save" = "Ctrl+S"', ["did you mean 'ctrl+s'?"]),
        ('[keys]\n"tab.save" = ""', ["'' is not a key"]),
        ('[keys]\n"tab.save" = "f5,,f6"', ["'' is not a key"]),
        ('[keys]\ntab.save = "f5"', ['put the whole id in quotes, such as "tab.save"']),
        ("[key]", ["'key' is not a table; did you mean 'keys'?"]),
        ("keys = 3", ["keys must be a table"]),
        ("[console]\nthem = 'x'", ["'them' is not a setting; did you mean 'theme'?"]),
        ("[console]\ntheme = 'neon'", ["theme must be one of gatekey-dark, gatekey-light"]),
        ("[console]\ntheme = ['a']", ["theme must be one of"]),
        ("[console]\nidle_lock_minutes = 0", ["idle_lock_minutes must be a whole number from 1 to 60."]),
        ("[console]\nidle_lock_minutes = 61", ["from 1 to 60"]),
        ("[console]\nidle_lock_minutes = 1.5", ["from 1 to 60"]),
        ("[console]\nidle_lock_minutes = true", ["from 1 to 60"]),
        ("[console]\nanimations = 'some'", ["animations must be one of none, basic, full."]),
        ("[keys", ["is not valid TOML: Expected ']'"]),
        ('[keys]\n"\\u001b[2J" = "f5"', ["is not a key id"]),
    ],
)
def test_a_mistake_is_one_sentence_that_names_file_and_entry(path: Path, text: str, words: list[str]) -> None:
    path.write_text(text)
    with pytest.raises(InvalidSetting) as refused:
        load_config(path, IDS)
    sentence = str(refused.value)
    assert sentence.startswith(f"{path}: ")
    assert all(word in sentence for word in words), sentence
    assert "\x1b" not in sentence
    assert "\n" not in sentence


def test_bytes_that_are_no_text_and_a_folder_are_sentences_too(path: Path) -> None:
    path.write_bytes(b"\xff\xfe[keys]")
    with pytest.raises(InvalidSetting, match="not UTF-8"):
        load_config(path, IDS)
    with pytest.raises(InvalidSetting, match="could not be read"):
        load_config(path.parent, IDS)


def test_without_the_list_of_ids_they_are_not_checked(path: Path) -> None:
    path.write_text('[keys]\n"what.ever" = "f5"\n')
    assert dict(load_config(path).keys) == {"what.ever": "f5"}


def test_it_lives_where_the_system_keeps_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config_path() == tmp_path / "gatekey" / "keys.toml"
