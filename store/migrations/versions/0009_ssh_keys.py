"""SSH keys.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

from store.models import BigId, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ssh_keys",
        sa.Column("id", BigId, autoincrement=True, nullable=False),
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("last_used_from", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_ssh_keys_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ssh_keys")),
        sa.UniqueConstraint("account_id", "fingerprint", name=op.f("uq_ssh_keys_account_id_fingerprint")),
        sa.UniqueConstraint("account_id", "name_key", name=op.f("uq_ssh_keys_account_id_name_key")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_ssh_keys_account_id"), "ssh_keys", ["account_id"])
    op.create_index(op.f("ix_ssh_keys_fingerprint"), "ssh_keys", ["fingerprint"])
