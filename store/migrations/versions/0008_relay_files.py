"""Files at the model server, and tasks by their id there.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from store.models import BigId, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "relay_files",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("size_bytes", BigId, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("task_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_relay_files_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relay_files")),
    )
    op.create_index(op.f("ix_relay_files_account_id_created_at_id"), "relay_files", ["account_id", "created_at", "id"])
    is_task = sa.text("kind = 'task'")
    op.create_index(
        op.f("ix_usage_log_account_id_request_id"),
        "usage_log",
        ["account_id", "request_id"],
        sqlite_where=is_task,
        postgresql_where=is_task,
    )
