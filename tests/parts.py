"""The programs that some tests need beside Python: one place says what they are and which Debian package has them.

A test names its parts with `@pytest.mark.needs(...)`, a fixture with `need(...)`. A test whose part is missing is
skipped with that part's name; where `GATEKEY_TESTS_REQUIRE_ALL` is set, it fails instead. `python3 tests/parts.py`
prints the packages that are missing on this machine, and needs nothing but Python for it.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REQUIRE_ALL: Final = "GATEKEY_TESTS_REQUIRE_ALL"
"""The variable that turns a skip for a missing part into a failure."""


@dataclass(frozen=True)
class Part:
    """A program, or several that come together, that is no Python package."""

    name: str
    packages: tuple[str, ...]
    """Debian's packages that bring it."""
    programs: tuple[str, ...]

    @property
    def missing(self) -> str:
        """The sentence a skipped test gives as its reason."""
        return f"{self.name} is not installed"

    def is_there(self) -> bool:
        return all(map(find, self.programs))


CHROMIUM: Final = Part("Chromium", ("chromium",), ("chromium",))
FISH: Final = Part("fish", ("fish",), ("fish",))
GROFF: Final = Part("groff", ("groff-base",), ("groff",))
NODE: Final = Part("Node.js with npm", ("npm",), ("node", "npm"))
OATHTOOL: Final = Part("oathtool", ("oathtool",), ("oathtool",))
OPENSSH: Final = Part("OpenSSH", ("openssh-server", "openssh-client"), ("sshd", "ssh", "ssh-keygen", "ssh-keyscan"))
PGBOUNCER: Final = Part("PgBouncer", ("pgbouncer",), ("pgbouncer",))
POSTGRESQL: Final = Part("PostgreSQL", ("postgresql",), ("postgres", "initdb", "pg_ctl"))
SYSTEMD: Final = Part("systemd", ("systemd",), ("systemd-analyze",))
TMUX: Final = Part("tmux", ("tmux",), ("tmux",))
ZBARIMG: Final = Part("zbarimg", ("zbar-tools",), ("zbarimg",))
ZSH: Final = Part("zsh", ("zsh",), ("zsh",))
PARTS: Final = (CHROMIUM, FISH, GROFF, NODE, OATHTOOL, OPENSSH, PGBOUNCER, POSTGRESQL, SYSTEMD, TMUX, ZBARIMG, ZSH)


def find(program: str) -> Path | None:
    """The path of a program on PATH, or in the folders where Debian keeps those outside a user's PATH."""
    folders = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/sbin", *map(str, _postgresql())]
    found = shutil.which(program, path=os.pathsep.join(filter(None, folders)))
    return Path(found) if found else None


def _postgresql() -> list[Path]:
    """Debian's folders of PostgreSQL servers, the newest first."""
    folders = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdecimal()]
    return sorted(folders, key=lambda folder: int(folder.parent.name), reverse=True)


def need(*parts: Part) -> None:
    """Go on if all are there. Raises pytest's skip otherwise, or its failure where every part is required."""
    import pytest

    for part in parts:
        if part.is_there():
            continue
        if os.environ.get(REQUIRE_ALL):
            pytest.fail(f"{part.missing}, and {REQUIRE_ALL} is set. {install(part.packages)}", pytrace=False)
        pytest.skip(part.missing)


def not_tested(reasons: Iterable[str]) -> Mapping[Part, int]:
    """The number of these skip reasons that name each part."""
    listed = list(reasons)
    counts = {part: sum(part.missing in reason for reason in listed) for part in PARTS}
    return {part: count for part, count in counts.items() if count}


def install(packages: Iterable[str]) -> str:
    """The command that installs these packages on Debian, for its administrator."""
    return f"apt-get install -y --no-install-recommends {' '.join(sorted(packages))}"


if __name__ == "__main__":
    print(*sorted(package for part in PARTS if not part.is_there() for package in part.packages))
