"""Doctor: forced commands of sshd that run Gatekey. They run as the service user, so files must be off."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from store.text import sanitize
from tui.commands.findings import Finding, fail, ok, warn
from tui.store_location import FILES_VARIABLE, NO_FILES

SSHD_CONFIG: Final = Path("/etc/ssh/sshd_config")
MAX_INCLUDE_DEPTH: Final = 16
"""As in sshd (servconf.c, SERVCONF_MAX_DEPTH)."""
SENSITIVE_VARIABLES: Final = (
    *("GATEKEY_DATABASE", "GATEKEY_KEY_FILE", "GATEKEY_KEY", FILES_VARIABLE, "GATEKEY_DEBUG_LOG"),
    *("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "PATH", "BASH_ENV", "ENV", "LD_PRELOAD", "LD_LIBRARY_PATH"),
    *("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "TEXTUAL_DRIVER", "TEXTUAL_LOG", "SSLKEYLOGFILE", "TMUX", "DISPLAY"),
)
"""Variables that name files or programs. They must not come from a client."""

_DEFAULT_KEYS: Final = (".ssh/authorized_keys", ".ssh/authorized_keys2")
_LINE: Final = re.compile(r"\s*(?P<keyword>[A-Za-z]+)(?:\s*=\s*|\s+)(?P<value>.*\S)")
_FORCED: Final = re.compile(r'(?:^|,)command="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_OPTIONS: Final = re.compile(r'(?:[^\s"]|"(?:[^"\\]|\\.)*")*')
_GATEKEY: Final = re.compile(r"(?:^|[\s/\"'(;&|])gatekey(?=$|[\s\"');&|])")
_NO_FILES_OPTION: Final = re.compile(r"(?:^|\s)--no-files(?=$|[\s\"')])")
_NO_FILES_ASSIGNMENT: Final = re.compile(rf"\b{FILES_VARIABLE}=[\"']?{NO_FILES}\b")


@dataclass
class Sshd:
    """The relevant content of sshd's configuration, with all Match blocks, whomever they match."""

    forced: list[tuple[Path, str]] = field(default_factory=list)
    """Forced commands, each with its file."""
    accepted: list[str] = field(default_factory=list)
    """Patterns of the variables that clients may send."""
    key_files: list[str] = field(default_factory=list)
    unread: list[Path] = field(default_factory=list)
    missing: list[Path] = field(default_factory=list)


def examine(environ: Mapping[str, str], named: Path | None = None) -> Iterator[Finding]:
    """Findings of the forced commands in sshd's configuration and in this user's authorized keys.

    `named` is a configuration that the person names, which must exist. The default is `SSHD_CONFIG`.
    """
    sshd = Sshd()
    _read_config(sshd, named or SSHD_CONFIG, MAX_INCLUDE_DEPTH)
    if named is not None and named in sshd.missing:
        yield fail(
            "ssh",
            f"There is no file {sanitize(named)}: what sshd forces on anyone is not known.",
            "Name sshd's configuration with --sshd-config.",
        )
        return
    for path in _key_files(sshd, environ):
        _read_keys(sshd, path)
    for path in sshd.unread:
        yield warn(
            "ssh",
            f"{path} cannot be read by this user: whether it forces Gatekey on anyone is not known.",
            "Run gatekey doctor once as root.",
        )
    ours = [(path, command) for path, command in sshd.forced if _GATEKEY.search(command)]
    if not ours:
        yield ok("ssh", "No forced command of sshd runs Gatekey, as far as can be seen.")
        return
    open_ = [(path, command) for path, command in ours if not has_files_off(command)]
    for path, command in open_:
        yield fail(
            "ssh",
            f"A forced command in {path} lacks --no-files ({sanitize(command, 80)}): whoever comes in by it can have "
            "files written as this user.",
            "Add --no-files to it.",
        )
    if not open_:
        yield ok("ssh", "Every forced command that runs Gatekey has --no-files.")
    yield _environment(sshd)


def has_files_off(command: str) -> bool:
    """True if every call of Gatekey in a shell command has files off."""
    told = False
    for part in re.split(r"[;&|\n]+", command):
        told = told or _NO_FILES_ASSIGNMENT.search(part) is not None
        runs = _GATEKEY.search(part)
        if runs and not part.strip().startswith("cd ") and not told and not _NO_FILES_OPTION.search(part, runs.end()):
            return False
    return True


def _environment(sshd: Sshd) -> Finding:
    taken = [name for name in SENSITIVE_VARIABLES if any(fnmatchcase(name, pattern) for pattern in sshd.accepted)]
    if taken:
        return fail(
            "ssh environment",
            f"sshd takes {', '.join(taken[:3])}{' and more' if taken[3:] else ''} from its clients' environment.",
            "Let AcceptEnv name COLORTERM alone.",
        )
    return ok("ssh environment", "sshd takes no variable from its clients that names a file or a program.")


def _read_config(sshd: Sshd, path: Path, depth: int) -> None:
    for line in _lines(sshd, path):
        said = _LINE.fullmatch(line)
        if said is None:
            continue
        value = said["value"]
        match said["keyword"].lower():
            case "forcecommand":
                sshd.forced.append((path, value))
            case "acceptenv":
                sshd.accepted += _words(value)
            case "authorizedkeysfile":
                sshd.key_files += _words(value)
            case "include" if depth:
                for pattern in _words(value):
                    # Relative to the folder of the configuration, as in sshd (sshd_config(5), Include).
                    whole = Path(os.path.normpath(path.parent / pattern))
                    for included in sorted(Path(whole.anchor).glob(str(whole.relative_to(whole.anchor)))):
                        _read_config(sshd, included, depth - 1)


def _read_keys(sshd: Sshd, path: Path) -> None:
    for line in _lines(sshd, path):
        options = _OPTIONS.match(line.strip())
        commands = _FORCED.findall(options[0]) if options else []
        sshd.forced += [(path, command.replace('\\"', '"')) for command in commands]


def _key_files(sshd: Sshd, environ: Mapping[str, str]) -> Iterator[Path]:
    """The files of this user's authorized keys, below the home folder of the system and that of the environment."""
    import pwd

    user = os.geteuid()
    try:
        entry = pwd.getpwuid(user)
        name, homes = entry.pw_name, {entry.pw_dir, environ.get("HOME", entry.pw_dir)}
    except KeyError:
        name, homes = "", {environ.get("HOME", "/")}
    for home in sorted(homes):
        for pattern in sshd.key_files or _DEFAULT_KEYS:
            path = pattern
            for token, text in (("%h", home), ("%u", name), ("%U", str(user)), ("%%", "%")):
                path = path.replace(token, text)
            yield Path(home) / path


def _lines(sshd: Sshd, path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        sshd.missing.append(path)
        return []
    except OSError:
        sshd.unread.append(path)
        return []
    return [line for line in text.splitlines() if not line.lstrip().startswith("#")]


def _words(value: str) -> list[str]:
    return [word.strip('"') for word in value.split()]
