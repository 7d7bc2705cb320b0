"""The drawers of accounts.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

from store.models import BigId, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drawer_items",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size_bytes", BigId, nullable=False),
        sa.Column("parts", BigId, nullable=False),
        sa.Column("key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("put_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("fetch_id", sa.Text(), nullable=True),
        sa.Column("fetch_until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_drawer_items_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drawer_items")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_drawer_items_account_id_name")),
    )
    op.create_index(op.f("ix_drawer_items_account_id"), "drawer_items", ["account_id"])
    op.create_index(op.f("ix_drawer_items_expires_at"), "drawer_items", ["expires_at"])
    op.create_table(
        "drawer_parts",
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("number", BigId, nullable=False, autoincrement=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["drawer_items.id"], name=op.f("fk_drawer_parts_item_id_drawer_items"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("item_id", "number", name=op.f("pk_drawer_parts")),
    )
