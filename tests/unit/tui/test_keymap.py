"""The person's own file: what it says holds, and what is wrong in it is one sentence that helps."""

from pathlib import Path

import pytest

from tui.config_location import config_path, load_config
from tui.key_ids import ACTIONS, clash
from tui.keymap import UNBOUND, ConsoleConfig


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


def test_no_file_says_nothing(path: Path) -> None:
    assert load_config(path) == ConsoleConfig()


def test_an_empty_file_says_nothing(path: Path) -> None:
    path.write_text("")
    assert load_config(path) == ConsoleConfig()


def test_a_whole_file(path: Path) -> None:
    path.write_text(
        """
        [keys]
        "tab.save" = "ctrl+s, f9"
        "tab.next" = "]"
        "console.sidebar" = "none"
        [console]
        theme = "gatekey-light"
        idle_lock_minutes = 60
        animations = "basic"
        """
    )
    config = load_config(path)
    assert dict(config.keys) == {"tab.save": "ctrl+s,f9", "tab.next": "]", "console.sidebar": UNBOUND}
    assert (config.theme, config.idle_lock_minutes, config.animations) == ("gatekey-light", 60, "basic")


@pytest.mark.parametrize(
    "keys",
    ["f9", "/", "comma", "ctrl+right", "shift+left", "A", "slash", "alt+x", "alt+ctrl+x", "ä", "ctrl+j", "f24"],
)
def test_every_kind_of_key_is_accepted(path: Path, keys: str) -> None:
    path.write_text(f'[keys]\n"tab.save" = "{keys}"\n')
    config = load_config(path)
    assert config.faults == ()
    assert config.keys["tab.save"] == keys


def test_modifiers_are_put_in_the_order_in_which_they_arrive(path: Path) -> None:
    path.write_text('[keys]\n"tab.save" = "ctrl+alt+x, shift+ctrl+left"\n')
    assert load_config(path).keys["tab.save"] == "alt+ctrl+x,ctrl+shift+left"


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("ctrl+i", "for a terminal it is 'tab'"),
        ("ctrl+m", "for a terminal it is 'enter'"),
        ("ctrl+h", "for a terminal it is 'backspace'"),
        ("ctrl+[", "for a terminal it is 'escape'"),
        ("ctrl+S", "did you mean 'ctrl+s'?"),
        ("shift+a", "a capital letter is written 'A'"),
        ("ctrl+shift+s", "never arrives from most terminals"),
        ("super+s", "never arrives from most terminals"),
        ("ctrl+enter", "never arrives from most terminals"),
    ],
)
def test_a_key_that_never_arrives_is_told(path: Path, key: str, why: str) -> None:
    path.write_text(f'[keys]\n\n"tab.save" = "{key}"\n')
    config = load_config(path)
    assert "tab.save" not in config.keys
    (fault,) = config.faults
    assert fault.startswith("line 3: tab.save: ")
    assert why in fault


@pytest.mark.parametrize(
    ("entries", "kept", "why"),
    [
        ({"tab.save": "ctrl+q"}, [], "'ctrl+q' is the key of app.quit already"),
        ({"security.token": "p"}, [], "'p' is the key of security.password already"),
        ({"security.token": "g", "security.password": "g"}, ["security.password"], "is the key of security.password"),
        ({"console.checks": "?"}, [], "is the key of app.help already"),
        ({"passkeys.register": "escape"}, [], "is the key of modal.cancel already"),
        ({"tab.save": "ctrl+p"}, [], "is the key of app.palette already"),
        ({"tab.save": "f9,tab"}, [], "is the key of going on already"),
    ],
)
def test_two_actions_on_one_key_are_told(path: Path, entries: dict[str, str], kept: list[str], why: str) -> None:
    path.write_text("[keys]\n" + "".join(f'"{name}" = "{keys}"\n' for name, keys in entries.items()))
    config = load_config(path)
    assert list(config.keys) == kept
    (fault,) = config.faults
    assert fault.startswith("line 2: ")
    assert why in fault


@pytest.mark.parametrize(
    "entries",
    [
        {"security.token": "p", "security.password": "t"},
        {"security.token": "p", "security.password": "none"},
        {"confirm.yes": "t"},
        {"modal.cancel": "f9", "wizard.cancel": "f9"},
        {"module.refresh": "f9", "table.refresh": "f9", "tab.refresh": "f9"},
        {"app.help": "f9", "modal.help": "f9", "confirm.help": "f9"},
    ],
)
def test_a_key_may_do_different_things_in_different_places(path: Path, entries: dict[str, str]) -> None:
    path.write_text("[keys]\n" + "".join(f'"{name}" = "{keys}"\n' for name, keys in entries.items()))
    config = load_config(path)
    assert config.faults == ()
    assert list(config.keys) == list(entries)


def test_no_action_has_the_key_of_another_from_the_start() -> None:
    clashes = {(name, key): clash(name, key, {}) for name, action in ACTIONS.items() for key in action.keys}
    assert {at: other for at, other in clashes.items() if other} == {}


def test_what_is_right_holds_beside_what_is_wrong(path: Path) -> None:
    path.write_text('[keys]\n"tab.sve" = "f9"\n"tab.next" = "f7"\n[console]\ntheme = 3\nidle_lock_minutes = 9\n')
    config = load_config(path)
    assert dict(config.keys) == {"tab.next": "f7"}
    assert (config.theme, config.idle_lock_minutes) == (None, 9)
    assert [fault.partition(": ")[0] for fault in config.faults] == ["line 2", "line 5"]


def test_a_file_with_a_byte_order_mark_is_read(path: Path) -> None:
    path.write_bytes(b'\xef\xbb\xbf[keys]\n"tab.save" = "f9"\n')
    assert load_config(path) == ConsoleConfig(keys={"tab.save": "f9"})


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
    config = load_config(path)
    assert config == ConsoleConfig(faults=config.faults), "the rest is as Gatekey would choose"
    (sentence,) = config.faults
    line = len(text.split("\n"))
    assert sentence.startswith("" if "TOML" in sentence or "\\u" in text else f"line {line}: ")
    assert all(word in sentence for word in words), sentence
    assert "\x1b" not in sentence
    assert "\n" not in sentence


def test_bytes_that_are_no_text_and_a_folder_are_sentences_too(path: Path) -> None:
    path.write_bytes(b"\xff\xfe[keys]")
    assert "not UTF-8" in load_config(path).faults[0]
    assert "could not be read" in load_config(path.parent).faults[0]


def test_it_lives_where_the_system_keeps_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config_path() == tmp_path / "gatekey" / "keys.toml"
