"""Removal of deleted and changed rows from the database's files.

PostgreSQL keeps old row versions in its files until a vacuum. A plain VACUUM only marks their space as free; VACUUM
FULL rewrites each table and removes the old file (PostgreSQL manual, 25.1.2). The write-ahead log and the backups of
PostgreSQL are not covered: they expire by themselves. SQLite overwrites deleted rows at once (secure_delete).
"""

from sqlalchemy import text

from store.database import Database
from store.models import METADATA


def vacuum(database: Database) -> bool:
    """Rewrite every table. False if a reader kept SQLite's write-ahead log from being emptied.

    PostgreSQL locks each table exclusively during its rewrite and needs free disk space of the table's size. Raises
    `StoreUnavailable`.
    """
    if not database.is_postgresql:
        return database.checkpoint()
    # Without a transaction around it, which VACUUM refuses: `Database.write` would begin one.
    with database.mapped(), database.engine.connect() as connection:
        for table in METADATA.sorted_tables:
            connection.execute(text(f"VACUUM (FULL, ANALYZE) {table.name}"))
    return True
