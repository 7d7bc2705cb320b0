"""Taking off the disk what a database keeps of rows that were deleted or changed.

PostgreSQL leaves old versions of rows in its files until they are vacuumed, and a plain VACUUM only lets their space
be written again; VACUUM FULL writes each table anew and removes the old file (PostgreSQL manual, 25.1.2). Its
write-ahead log and its backups age out by themselves. SQLite runs with secure_delete and keeps nothing.
"""

from sqlalchemy import text

from store.database import Database
from store.models import Base


def vacuum(database: Database) -> bool:
    """Write every table anew; False if a reader of SQLite's log kept it from being emptied.

    Each table is closed to everybody while it is written, and needs its size again on the disk meanwhile. Raises
    `StoreUnavailable`.
    """
    if not database.is_postgresql:
        return database.checkpoint()
    with (
        database.mapped(),
        database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        for table in Base.metadata.sorted_tables:
            connection.execute(text(f"VACUUM (FULL, ANALYZE) {table.name}"))
    return True
