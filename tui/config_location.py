"""The place of keys.toml, and what is in it. A start without the file does not import its reader."""

from pathlib import Path

from tui.keymap import CONFIG_NAME, ConsoleConfig


def config_path() -> Path:
    """The path of the file on this system. The file may not exist."""
    from platformdirs import user_config_path

    return user_config_path("gatekey") / CONFIG_NAME


def load_config(path: Path) -> ConsoleConfig:
    """Read `path`; a file that does not exist gives the defaults.

    A wrong entry is ignored and becomes one of the `faults`, so that a misspelt key does not stop the console.
    """
    try:
        path.stat()
    except FileNotFoundError:
        return ConsoleConfig()
    except OSError:
        pass  # the reader says what is wrong with it
    from tui.keys_file import read_config

    return read_config(path)
