"""Redeem codes: 25 symbols (125 bits), stored as a hash, each redeemed once by one conditional UPDATE."""

import random
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, insert, or_, select, update

from store.attempts import Attempts
from store.audit import Audit
from store.audit_tags import COMMAND_LINE, SiteTag, Tag
from store.backup_codes import ALPHABET, canonical
from store.context import Context
from store.errors import CodeRefused, InvalidExpiry, InvalidMoney, InvalidNumber, InvalidSecret, NoSuchItem
from store.models import Account, RedeemCode
from store.money import MAXIMUM_MICRO_USD
from store.quota import Quotas
from store.row_locks import lock_against_deletion
from store.sessions import Sessions, digest
from store.text import sanitize
from store.throttle import Factor, Throttles
from store.values.ledger import LedgerKind
from store.values.redeem_codes import CodeState, NewRedeemCode, RedeemCodeInfo, Redeemed

CODE_LENGTH: Final = 25
_GROUP: Final = 5
MAX_CODES: Final = 1000
"""The most codes that one command makes."""
MAX_DAYS: Final = 3650
PAGE_SIZE: Final = 500
_MAX_NOTE_LENGTH: Final = 200
_MAX_ACTOR_LENGTH: Final = 64
_TOO_MUCH: Final = (
    "With this code the balance would exceed 1,000,000,000 dollars. The code was not used. Redeem it after some calls."
)


def generate(rng: random.Random) -> str:
    """A new random code of the form `XXXXX-XXXXX-XXXXX-XXXXX-XXXXX`."""
    symbols = "".join(rng.choice(ALPHABET) for _ in range(CODE_LENGTH))
    return "-".join(symbols[i : i + _GROUP] for i in range(0, CODE_LENGTH, _GROUP))


class RedeemCodes:
    """Makes, lists and revokes codes for an administrator, and redeems them for an account."""

    def __init__(
        self,
        context: Context,
        audit: Audit,
        sessions: Sessions,
        throttles: Throttles,
        attempts: Attempts,
        quotas: Quotas,
    ) -> None:
        self._context = context
        self._audit = audit
        self._sessions = sessions
        self._throttles = throttles
        self._attempts = attempts
        self._quotas = quotas

    def create(
        self, amount_micro_usd: int, count: int, *, days: int | None = None, note: str = "", actor: str
    ) -> tuple[NewRedeemCode, ...]:
        """Make `count` codes of one amount, which expire after `days`; None is never.

        Raises `InvalidMoney`, `InvalidNumber`, `InvalidExpiry`.
        """
        if not 0 < amount_micro_usd <= MAXIMUM_MICRO_USD:
            raise InvalidMoney("A code is worth more than zero, and at most 1,000,000,000 dollars.", field="amount")
        if not 1 <= count <= MAX_CODES:
            raise InvalidNumber(f"Make 1 to {MAX_CODES:,} codes at once.", field="count")
        if days is not None and not 1 <= days <= MAX_DAYS:
            raise InvalidExpiry(f"A code expires after 1 to {MAX_DAYS:,} days.", field="expires")
        now, codes = self._context.now(), [generate(self._context.rng) for _ in range(count)]
        common = {
            "amount_micro_usd": amount_micro_usd,
            "note": sanitize(note, _MAX_NOTE_LENGTH),
            "created_at": now,
            "created_by": sanitize(actor, _MAX_ACTOR_LENGTH),
            "expires_at": None if days is None else now + timedelta(days=days),
        }
        with self._context.database.write() as tx:
            rows = [{"code_hash": _hash(code), "last_four": code[-4:], **common} for code in codes]
            ids = tx.execute(insert(RedeemCode).returning(RedeemCode.c.id, sort_by_parameter_order=True), rows)
            made = tuple(NewRedeemCode(new, code) for new, code in zip(ids.scalars(), codes, strict=True))
            told = {"codes": count, "first": made[0].id, "amount_micro_usd": amount_micro_usd}
            self._audit.record_site(tx, SiteTag.REDEEM_CODES_CREATED, actor=actor, source=COMMAND_LINE, **told)
        return made

    def page(self, *, after: int = 0, limit: int = PAGE_SIZE) -> list[RedeemCodeInfo]:
        """Codes with an id above `after`, oldest first."""
        query = (
            select(RedeemCode, Account.c.name.label("account_name"))
            .outerjoin(Account, Account.c.id == RedeemCode.c.redeemed_by)
            .where(RedeemCode.c.id > after)
            .order_by(RedeemCode.c.id)
            .limit(limit)
        )
        now = self._context.now()
        with self._context.database.read() as tx:
            return [_info(row, now) for row in tx.execute(query)]

    def revoke(self, ids: Sequence[int], *, actor: str) -> None:
        """Revoke codes that are not redeemed, all or none. Raises `NoSuchItem`."""
        with self._context.database.write() as tx:
            for code_id in sorted(set(ids)):
                revoked = tx.execute(
                    update(RedeemCode)
                    .where(
                        RedeemCode.c.id == code_id,
                        RedeemCode.c.redeemed_at.is_(None),
                        RedeemCode.c.revoked_at.is_(None),
                    )
                    .values(revoked_at=self._context.now())
                )
                if revoked.rowcount != 1:
                    raise NoSuchItem(f"The code {code_id} does not exist, or is revoked or redeemed already.")
                told = {"code": code_id}
                self._audit.record_site(tx, SiteTag.REDEEM_CODE_REVOKED, actor=actor, source=COMMAND_LINE, **told)

    def redeem(self, token: str, text: str) -> Redeemed:
        """Redeem a code for the session's account.

        A wrong code counts as a failed attempt. Raises `InvalidSecret` for text that is no code, `CodeRefused`,
        `TooManyAttempts`, `FactorDisabled`, and `InvalidMoney` for a balance above the maximum.
        """
        code, session = _read(text), self._sessions.whoami(token)
        with (
            self._counted(session.account_id, session.name, session.source),
            self._sessions.writing(token) as (tx, session),
        ):
            return self._redeem(tx, session.account_id, session.name, code, actor=session.name, source=session.source)

    def redeem_for(self, account_id: int, name: str, text: str, *, actor: str) -> Redeemed:
        """Redeem a code for an account, for an administrator. Raises as `redeem`."""
        code = _read(text)
        with self._counted(account_id, name, COMMAND_LINE), self._context.database.write() as tx:
            lock_against_deletion(tx, account_id)
            return self._redeem(tx, account_id, name, code, actor=actor, source=COMMAND_LINE)

    def _counted(self, account_id: int, name: str, source: str) -> AbstractContextManager[None]:
        return self._attempts.counted(Factor.REDEEM, account_id, name, source=source, tag=Tag.REDEEM_FAILED)

    def _redeem(self, tx: Connection, account_id: int, name: str, code: str, *, actor: str, source: str) -> Redeemed:
        now = self._context.now()
        claimed = tx.execute(
            update(RedeemCode)
            .where(
                RedeemCode.c.code_hash == digest(code),
                RedeemCode.c.redeemed_at.is_(None),
                RedeemCode.c.revoked_at.is_(None),
                or_(RedeemCode.c.expires_at.is_(None), RedeemCode.c.expires_at > now),
            )
            .values(redeemed_at=now, redeemed_by=account_id, last_four="")
            .returning(RedeemCode.c.id, RedeemCode.c.amount_micro_usd, RedeemCode.c.note)
        ).one_or_none()
        if claimed is None:
            raise CodeRefused(self._reason(tx, code), field="code")
        try:
            self._quotas.change(
                tx,
                account_id,
                add=claimed.amount_micro_usd,
                kind=LedgerKind.CODE,
                reason=claimed.note or f"code {claimed.id}",
                actor=actor,
            )
        except InvalidMoney as error:
            raise InvalidMoney(_TOO_MUCH, field="code") from error
        remaining = self._quotas.state_of(tx, account_id).remaining_micro_usd
        self._throttles.reset(tx, Factor.REDEEM, name)
        self._audit.record(
            tx,
            account_id,
            Tag.CODE_REDEEMED,
            actor=actor,
            source=source,
            code=claimed.id,
            amount_micro_usd=claimed.amount_micro_usd,
        )
        self._audit.record_site(
            tx,
            SiteTag.CODE_REDEEMED,
            actor=actor,
            source=source,
            code=claimed.id,
            account_id=account_id,
            amount_micro_usd=claimed.amount_micro_usd,
        )
        return Redeemed(claimed.amount_micro_usd, remaining)

    def _reason(self, tx: Connection, code: str) -> str | None:
        """Tells why a genuine code is refused, and only then: whoever has it has the whole code."""
        row = tx.execute(select(RedeemCode).where(RedeemCode.c.code_hash == digest(code))).one_or_none()
        if row is None:
            return None
        return {
            CodeState.REDEEMED: "This code was redeemed before. Each code works once.",
            CodeState.REVOKED: "This code was revoked. Ask whoever gave it to you for another one.",
            CodeState.EXPIRED: "This code has expired. Ask whoever gave it to you for another one.",
        }.get(_state(row, self._context.now()))


def _read(text: str) -> str:
    code = canonical(text, CODE_LENGTH)
    if code is None:
        raise InvalidSecret(
            f"A code has {CODE_LENGTH} letters and digits, such as 7K2QF-... in five groups of five.", field="code"
        )
    return code


def _hash(code: str) -> bytes:
    return digest(code.replace("-", ""))


def _state(row: Any, now: datetime) -> CodeState:
    if row.redeemed_at is not None:
        return CodeState.REDEEMED
    if row.revoked_at is not None:
        return CodeState.REVOKED
    return CodeState.EXPIRED if row.expires_at is not None and row.expires_at <= now else CodeState.OPEN


def _info(row: Any, now: datetime) -> RedeemCodeInfo:
    return RedeemCodeInfo(
        id=row.id,
        last_four=row.last_four,
        amount_micro_usd=row.amount_micro_usd,
        note=row.note,
        state=_state(row, now),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        redeemed_at=row.redeemed_at,
        redeemed_by=row.account_name or "",
    )
