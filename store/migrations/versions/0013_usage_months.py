"""The usage log of PostgreSQL in partitions, one for each UTC month, and one for all other times.

SQLite has no partitions and keeps its table. Rows are copied month by month and then indexed, all in the transaction of
the upgrade.

Revision ID: 0013
Revises: 0012
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_usage_log_account_id_id": "account_id, id",
    "ix_usage_log_account_id_kind_id": "account_id, kind, id",
    "ix_usage_log_account_id_model_id": "account_id, model, id",
    "ix_usage_log_account_id_api_key_name_id": "account_id, api_key_name, id",
    "ix_usage_log_account_id_status_id": "account_id, status, id",
    "ix_usage_log_account_id_at_id": "account_id, at, id",
}
_PARTIAL_INDEXES = {
    "ix_usage_log_account_id_request_id": ("account_id, request_id", "kind = 'task'"),
    "ix_usage_log_account_id_client_ip_id": ("account_id, client_ip, id", "client_ip IS NOT NULL"),
}
# Farther times come from a clock that was off. The partition for all other times takes them.
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("ALTER TABLE usage_log RENAME TO usage_log_whole")
    # The names belong to the new table, and rows are read in the order of the disk.
    op.execute("ALTER TABLE usage_log_whole DROP CONSTRAINT pk_usage_log")
    for name in (*_INDEXES, *_PARTIAL_INDEXES):
        op.execute(f"DROP INDEX {name}")
    op.execute("CREATE TABLE usage_log (LIKE usage_log_whole INCLUDING DEFAULTS) PARTITION BY RANGE (at)")
    op.execute("ALTER SEQUENCE usage_log_id_seq OWNED BY usage_log.id")
    op.execute("CREATE TABLE usage_log_rest PARTITION OF usage_log DEFAULT")
    for first, end in _months():
        op.execute(
            f"CREATE TABLE usage_log_{first:%Y_%m} PARTITION OF usage_log "
            f"FOR VALUES FROM ('{first.isoformat()}') TO ('{end.isoformat()}')"
        )
    op.execute("INSERT INTO usage_log SELECT * FROM usage_log_whole")
    _keep_rights()
    op.execute("DROP TABLE usage_log_whole")
    op.execute("ALTER TABLE usage_log ADD CONSTRAINT pk_usage_log PRIMARY KEY (id, at)")
    op.execute(
        "ALTER TABLE usage_log ADD CONSTRAINT fk_usage_log_account_id_accounts "
        "FOREIGN KEY (account_id) REFERENCES accounts (id) ON DELETE CASCADE"
    )
    for name, columns in _INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON usage_log ({columns})")
    for name, (columns, where) in _PARTIAL_INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON usage_log ({columns}) WHERE {where}")


def _months() -> Iterator[tuple[datetime, datetime]]:
    """The first moment of each UTC month with entries, and that of the month after it."""
    month: sa.ColumnElement[datetime] = sa.literal_column("date_trunc('month', at AT TIME ZONE 'UTC')")
    log = sa.table("usage_log_whole", sa.column("at", sa.DateTime(timezone=True)))
    found = sa.select(month).distinct().where(log.c.at >= _EARLIEST, log.c.at < _LATEST).select_from(log)
    for first in op.get_bind().execute(found.order_by(month)).scalars():
        end = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
        yield first.replace(tzinfo=UTC), end.replace(tzinfo=UTC)


def _keep_rights() -> None:
    """Give the rights on the old table to the same roles on the new one."""
    op.execute(
        "DO $$ DECLARE one record; BEGIN FOR one IN SELECT acl.privilege_type AS act, acl.grantee AS role, "
        "acl.is_grantable AS passed_on FROM pg_class, aclexplode(relacl) AS acl "
        "WHERE oid = 'usage_log_whole'::regclass AND acl.grantee <> relowner LOOP "
        "EXECUTE format('GRANT %s ON usage_log TO %s%s', one.act, "
        "CASE one.role WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(one.role)) END, "
        "CASE WHEN one.passed_on THEN ' WITH GRANT OPTION' ELSE '' END); END LOOP; END $$"
    )
