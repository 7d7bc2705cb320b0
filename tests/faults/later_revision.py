"""A revision after the last one, planted to be upgraded to: it rebuilds tables that others refer to."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from store import schema
from store.revisions import revisions, schema_revision

LATER: Final = "9999"

_HEAD: Final = f'''
"""A planted revision."""

import sqlalchemy as sa
from alembic import op

revision = "{LATER}"
down_revision = "{schema_revision()}"
branch_labels = None
depends_on = None
'''
_BODY: Final = """

def upgrade() -> None:
    rebuild = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    for table in ("accounts", "usage_log", "audit_events"):
        with op.batch_alter_table(table, recreate=rebuild) as batch:
            batch.add_column(sa.Column("nickname", sa.Text(), nullable=True))
        op.execute(sa.table(table, sa.column("nickname")).update().values(nickname="planted"))
    op.create_index("ix_accounts_nickname", "accounts", ["nickname"])
"""


def plant(folder: Path) -> Path:
    """Copy the migrations into `folder` and add the later revision; returns `folder`."""
    shutil.copytree(Path(schema.__file__).with_name("migrations"), folder / "migrations")
    (folder / "migrations" / "versions" / f"{LATER}_planted.py").write_text(_HEAD + _BODY)
    return folder


@contextmanager
def program_of(folder: Path) -> Iterator[None]:
    """Be the program whose migrations lie in `folder`: its schema is the later one."""
    names = ("__file__", "revisions", "schema_revision")
    all_revisions = (*revisions(), LATER)
    before = tuple(getattr(schema, name) for name in names)
    after = (str(folder / "schema.py"), lambda: all_revisions, lambda: LATER)
    for name, value in zip(names, after, strict=True):
        setattr(schema, name, value)
    try:
        yield
    finally:
        for name, value in zip(names, before, strict=True):
            setattr(schema, name, value)
