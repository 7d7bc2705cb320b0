"""Prices: the key of the model, the most output tokens, and cached input. Reservations: the time of settlement.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from store.models import BigId, UtcDateTime
from store.text import fold_case

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("prices", sa.Column("model_key", sa.Text(), nullable=True))
    op.add_column("prices", sa.Column("max_output_tokens", BigId, nullable=True))
    op.add_column("prices", sa.Column("cached_input_micro_usd_per_million", BigId, nullable=True))
    op.add_column("reservations", sa.Column("settled_at", UtcDateTime(), nullable=True))
    _fill_keys(op.get_bind())
    op.create_index(op.f("ix_prices_model_key"), "prices", ["model_key"], unique=True)


def _fill_keys(connection: sa.Connection) -> None:
    """Set the key of each price. Of prices whose names differ only by case, the dearest gets the key."""
    prices = sa.table(
        "prices",
        sa.column("model", sa.Text()),
        sa.column("model_key", sa.Text()),
        sa.column("input_micro_usd_per_million", BigId),
        sa.column("output_micro_usd_per_million", BigId),
    )
    dearest_first = sa.select(prices.c.model).order_by(
        prices.c.output_micro_usd_per_million.desc(),
        prices.c.input_micro_usd_per_million.desc(),
        prices.c.model,
    )
    keys: dict[str, str] = {}
    for model in connection.execute(dearest_first).scalars():
        keys.setdefault(fold_case(model), model)
    for key, model in keys.items():
        connection.execute(sa.update(prices).where(prices.c.model == model).values(model_key=key))
