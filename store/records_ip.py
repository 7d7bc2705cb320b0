"""The question whether an account wants client addresses stored, asked in the transaction that would store one."""

from typing import Final

from sqlalchemy import Connection, bindparam, select

from store.compiled_statement import CompiledStatement
from store.models import PrivacySettingsRow

# Built once, because relayed calls run it. The row lock serializes it with a concurrent save of the setting
# (PostgreSQL).
_RECORDS_IP: Final = CompiledStatement(
    select(PrivacySettingsRow.c.record_client_ip)
    .where(PrivacySettingsRow.c.account_id == bindparam("account"))
    .with_for_update(read=True)
)


def records_ip(tx: Connection, account_id: int) -> bool:
    """True if the account's setting is on. It cannot change until `tx` ends."""
    row = _RECORDS_IP.row(tx, {"account": account_id})
    return row is not None and row.record_client_ip is True
