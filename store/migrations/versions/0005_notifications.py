"""Confirmed notification addresses, a pause between warnings, leases by uptime, encrypted Bark pushes.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from store.models import BigId, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "email_confirmations",
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("tries", BigId, nullable=False),
        sa.Column("codes_sent", BigId, nullable=False),
        sa.Column("counted_since", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_email_confirmations_account_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_email_confirmations")),
    )
    op.add_column("quotas", sa.Column("warned_at", UtcDateTime(), nullable=True))
    op.add_column("notification_settings", sa.Column("bark_encryption_key_sealed", sa.LargeBinary(), nullable=True))
    op.add_column("deliveries", sa.Column("lease_boot", sa.Text(), nullable=True))
    op.add_column("deliveries", sa.Column("lease_uptime_ms", BigId, nullable=True))
    # Addresses that were in use before confirmations stay in use.
    op.execute(
        "INSERT INTO email_confirmations "
        "(account_id, address, message_id, expires_at, tries, codes_sent, counted_since, confirmed_at) "
        "SELECT accounts.id, email_address, '', accounts.created_at, 0, 0, accounts.created_at, accounts.created_at "
        "FROM notification_settings JOIN accounts ON accounts.id = account_id WHERE email_address <> ''"
    )
