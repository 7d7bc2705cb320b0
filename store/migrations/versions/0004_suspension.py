"""Suspended accounts, and the time of the warning about few backup codes.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from store.models import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("suspended_at", UtcDateTime(), nullable=True))
    op.add_column("two_factor", sa.Column("low_codes_noted_at", UtcDateTime(), nullable=True))
