"""The ids of each day's entries in the usage log.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

from store.models import BigId

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_IDS = ("first_entry_id", "last_entry_id")


def upgrade() -> None:
    for name in (*_IDS, "newest_at_ms", "set_back_ms"):
        op.add_column("usage_days", sa.Column(name, BigId, nullable=True))
    days = sa.table("usage_days", *(sa.column(name) for name in ("account_id", "day", *_IDS)))
    log = sa.table("usage_log", sa.column("account_id"), sa.column("id"))
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    words = "substr(at, 1, 10)" if is_sqlite else "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
    day = sa.literal_column(words, sa.Text)
    ids = (sa.func.min(log.c.id).label("low"), sa.func.max(log.c.id).label("high"))
    found = sa.select(log.c.account_id, day.label("day"), *ids).group_by(log.c.account_id, day).subquery()
    is_of_day = (days.c.account_id == found.c.account_id, days.c.day == found.c.day)
    op.execute(days.update().where(*is_of_day).values(dict(zip(_IDS, (found.c.low, found.c.high), strict=True))))
