"""The ledger, totals by model and key, limits of API keys, and details of calls.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from store.models import BigId, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _account(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_account_id_accounts")
    return sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    _upgrade_usage_log()
    _upgrade_api_keys()
    _create_totals()
    _create_ledger()


def _upgrade_usage_log() -> None:
    op.add_column("usage_log", sa.Column("cached_tokens", BigId, server_default="0", nullable=False))
    op.add_column("usage_log", sa.Column("images", BigId, server_default="0", nullable=False))
    op.add_column("usage_log", sa.Column("image_size", sa.Text(), server_default="", nullable=False))
    for name in (
        "task_done",
        "task_total",
        "input_micro_usd_per_million",
        "cached_input_micro_usd_per_million",
        "output_micro_usd_per_million",
        "request_micro_usd",
    ):
        op.add_column("usage_log", sa.Column(name, BigId, nullable=True))
    for column in ("api_key_name", "status", "at"):
        op.create_index(op.f(f"ix_usage_log_account_id_{column}_id"), "usage_log", ["account_id", column, "id"])
    op.drop_index(op.f("ix_usage_log_client_ip"), table_name="usage_log")
    has_address = sa.text("client_ip IS NOT NULL")
    op.create_index(
        op.f("ix_usage_log_account_id_client_ip_id"),
        "usage_log",
        ["account_id", "client_ip", "id"],
        sqlite_where=has_address,
        postgresql_where=has_address,
    )


def _upgrade_api_keys() -> None:
    op.add_column("api_keys", sa.Column("limit_period", sa.Text(), server_default="none", nullable=False))
    op.add_column("api_keys", sa.Column("period_started_at", UtcDateTime(), nullable=True))
    op.add_column("api_keys", sa.Column("period_spent_micro_usd", BigId, server_default="0", nullable=False))
    op.add_column("api_keys", sa.Column("allowed_models", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("api_keys", sa.Column("allowed_networks", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("api_keys", sa.Column("requests_per_minute", BigId, nullable=True))
    op.add_column("api_keys", sa.Column("minute_started_at", UtcDateTime(), nullable=True))
    op.add_column("api_keys", sa.Column("minute_requests", BigId, server_default="0", nullable=False))
    op.add_column("api_keys", sa.Column("disabled_at", UtcDateTime(), nullable=True))
    op.add_column("api_keys", sa.Column("last_used_ip", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("rotated_at", UtcDateTime(), nullable=True))
    op.add_column("api_keys", sa.Column("previous_key_hash", sa.LargeBinary(), nullable=True))
    op.add_column("api_keys", sa.Column("previous_expires_at", UtcDateTime(), nullable=True))
    # A unique index, because SQLite adds no constraint to a table.
    op.create_index(op.f("ix_api_keys_previous_key_hash"), "api_keys", ["previous_key_hash"], unique=True)


def _create_totals() -> None:
    op.create_table(
        "usage_totals",
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("api_key_name", sa.Text(), nullable=False),
        sa.Column("calls", BigId, nullable=False),
        sa.Column("errors", BigId, nullable=False),
        sa.Column("tokens", BigId, nullable=False),
        sa.Column("cost_micro_usd", BigId, nullable=False),
        _account("usage_totals"),
        sa.PrimaryKeyConstraint("account_id", "day", "model", "api_key_name", name=op.f("pk_usage_totals")),
    )
    is_postgresql = op.get_context().dialect.name == "postgresql"
    day = "to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD')" if is_postgresql else "substr(at, 1, 10)"
    op.execute(
        "INSERT INTO usage_totals (account_id, day, model, api_key_name, calls, errors, tokens, cost_micro_usd) "  # noqa: S608
        f"SELECT account_id, {day}, CASE WHEN kind = 'error' THEN '' ELSE model END, api_key_name, count(*), "
        "sum(CASE WHEN kind = 'error' THEN 1 ELSE 0 END), sum(prompt_tokens + completion_tokens), sum(cost_micro_usd) "
        "FROM usage_log GROUP BY 1, 2, 3, 4"
    )
    # One entry of the log may stand for many refused calls, and old entries may be deleted. The days know all calls.
    columns = ("calls", "errors", "tokens", "cost_micro_usd")
    missing = ", ".join(f"usage_days.{name} - coalesce(sum(usage_totals.{name}), 0)" for name in columns)
    added = ", ".join(f"{name} = usage_totals.{name} + excluded.{name}" for name in columns)
    op.execute(
        f"INSERT INTO usage_totals (account_id, day, model, api_key_name, {', '.join(columns)}) "  # noqa: S608
        f"SELECT usage_days.account_id, usage_days.day, '', '', {missing} FROM usage_days LEFT JOIN usage_totals "
        "ON usage_totals.account_id = usage_days.account_id AND usage_totals.day = usage_days.day "
        "WHERE true GROUP BY usage_days.account_id, usage_days.day, usage_days.calls, usage_days.errors, "
        "usage_days.tokens, usage_days.cost_micro_usd HAVING usage_days.calls > coalesce(sum(usage_totals.calls), 0) "
        f"ON CONFLICT (account_id, day, model, api_key_name) DO UPDATE SET {added}"
    )


def _create_ledger() -> None:
    op.add_column("quotas", sa.Column("ledger_sequence", BigId, server_default="0", nullable=False))
    op.create_table(
        "ledger",
        sa.Column("account_id", BigId, nullable=False),
        sa.Column("sequence", BigId, autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_micro_usd", BigId, nullable=False),
        sa.Column("balance_micro_usd", BigId, nullable=False),
        sa.Column("usage_entry_id", BigId, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        _account("ledger"),
        sa.PrimaryKeyConstraint("account_id", "sequence", name=op.f("pk_ledger")),
    )
    # The ledger of an older account begins with the balance that it had.
    op.execute(
        "INSERT INTO ledger (account_id, sequence, at, kind, amount_micro_usd, balance_micro_usd, reason, actor) "
        "SELECT account_id, 1, CURRENT_TIMESTAMP, 'opening', remaining_micro_usd, remaining_micro_usd, '', 'upgrade' "
        "FROM quotas"
    )
    op.execute("UPDATE quotas SET ledger_sequence = 1")
