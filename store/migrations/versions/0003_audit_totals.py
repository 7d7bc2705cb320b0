"""A seal for the end of every chain, one total over all seals, and a chain of site events.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from store.models import BigId, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("audit_heads") as heads:
        heads.add_column(sa.Column("seal", sa.LargeBinary(), nullable=True))
        heads.add_column(sa.Column("key_id", BigId, nullable=True))
    # The seals themselves need the key: `store.audit_upgrade` sets them in the same transaction.
    heads_table = sa.table("audit_heads", sa.column("seal", sa.LargeBinary()), sa.column("key_id", BigId))
    op.execute(heads_table.update().values(seal=b"", key_id=1))
    with op.batch_alter_table("audit_heads") as heads:
        heads.alter_column("seal", existing_type=sa.LargeBinary(), nullable=False)
        heads.alter_column("key_id", existing_type=BigId, nullable=False)
    op.create_table(
        "audit_totals",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("sequence", BigId, nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.Column("events", BigId, nullable=False),
        sa.Column("seals", sa.LargeBinary(), nullable=False),
        sa.Column("total_mac", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", BigId, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_totals")),
    )
    op.create_table(
        "site_events",
        sa.Column("sequence", BigId, autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_site_events")),
    )
