"""The Alembic revisions of the schema, from the names of the migration files.

They are read when they are asked for: an import reads no folder.
"""

from pathlib import Path


def revisions() -> tuple[str, ...]:
    """All revisions, oldest first. Each migration has its revision at the start of its file name."""
    folder = Path(__file__).with_name("migrations") / "versions"
    return tuple(sorted(path.name[:4] for path in folder.glob("[0-9][0-9][0-9][0-9]_*.py")))


def schema_revision() -> str:
    """The revision of this program's schema."""
    return revisions()[-1]
