"""Confirmation of notification addresses other than the account's own, by a code sent there.

The code is a MAC of the message id, so it is not stored.
"""

import hmac
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, and_, case, delete, or_, select, update

from store.audit import Audit
from store.audit_tags import Tag
from store.context import Context
from store.errors import InvalidSetting, TooManyAttempts, WrongCode
from store.models import Account, EmailConfirmation, NotificationSettingsRow, OutboxMessage
from store.outbox_queue import enqueue
from store.row_locks import lock_against_deletion
from store.sections import Channel
from store.sessions import Sessions
from store.text import fold
from store.upsert import upsert
from store.values.notifications import CONFIRM_EMAIL, EmailRoute

CODE_DIGITS: Final = 8
CODE_LIFETIME: Final = timedelta(minutes=30)
ATTEMPTS_PER_CODE: Final = 5
CODES_PER_HOUR: Final = 3
"""The most codes per account and hour, so that an account cannot flood a stranger's mailbox."""
_COUNT_WINDOW: Final = timedelta(hours=1)
_IS_CODE: Final = OutboxMessage.c.kind == CONFIRM_EMAIL


class EmailConfirmations:
    """Sends and checks confirmation codes, and determines the e-mail route."""

    def __init__(self, context: Context, audit: Audit, sessions: Sessions) -> None:
        self._context = context
        self._audit = audit
        self._sessions = sessions

    def route(self, token: str) -> EmailRoute:
        """The e-mail route of the session's account."""
        with self._sessions.reading(token) as (tx, session):
            return self.route_of(tx, session.account_id)

    def route_of(self, tx: Connection, account_id: int) -> EmailRoute:
        """The e-mail route: the notification address once it is confirmed, until then the account's own address."""
        row = tx.execute(
            select(NotificationSettingsRow.c.email_address, Account.c.email, EmailConfirmation)
            .join(Account, Account.c.id == NotificationSettingsRow.c.account_id)
            .outerjoin(
                EmailConfirmation,
                and_(
                    EmailConfirmation.c.account_id == Account.c.id,
                    EmailConfirmation.c.address == NotificationSettingsRow.c.email_address,
                ),
            )
            .where(NotificationSettingsRow.c.account_id == account_id)
        ).one()
        chosen, own = row[0], row[1]
        if not chosen or fold(chosen) == fold(own):
            return EmailRoute(own, "")
        if row.confirmed_at is not None:
            return EmailRoute(chosen, "")
        is_out = row.address is not None and row.tries < ATTEMPTS_PER_CODE and row.expires_at > self._context.now()
        return EmailRoute(own, chosen, is_out)

    def is_confirmed(self, tx: Connection, account_id: int) -> bool:
        """True if the account has no unconfirmed notification address."""
        return not self.route_of(tx, account_id).unconfirmed

    def send_code(self, tx: Connection, account_id: int) -> int:
        """Queue a message with a new code to the notification address; returns the delivery id. Older codes are void.

        Raises `InvalidSetting` without an unconfirmed address, and `TooManyAttempts` beyond `CODES_PER_HOUR`.
        """
        address, now = self.route_of(tx, account_id).unconfirmed, self._context.now()
        if not address:
            raise InvalidSetting("The notification address is confirmed already.")
        name = tx.execute(select(Account.c.name).where(Account.c.id == account_id)).scalar_one()
        tx.execute(delete(OutboxMessage).where(OutboxMessage.c.account_id == account_id, _IS_CODE))
        queued = enqueue(
            self._context, tx, account_id, CONFIRM_EMAIL, {"name": name}, [Channel.EMAIL], recipient=address
        )
        is_over = or_(
            EmailConfirmation.c.counted_since <= now - _COUNT_WINDOW,
            EmailConfirmation.c.counted_since > now,  # stored before the clock was set back
        )
        is_within = upsert(
            tx,
            EmailConfirmation,
            {"account_id": account_id},
            {
                "address": address,
                "message_id": queued.message_id,
                "expires_at": now + CODE_LIFETIME,
                "tries": 0,
                "codes_sent": (1, case((is_over, 1), else_=EmailConfirmation.c.codes_sent + 1)),
                "counted_since": (now, case((is_over, now), else_=EmailConfirmation.c.counted_since)),
                "confirmed_at": None,
            },
            only_if=or_(is_over, EmailConfirmation.c.codes_sent < CODES_PER_HOUR),
        )
        if not is_within:
            since = tx.execute(
                select(EmailConfirmation.c.counted_since).where(EmailConfirmation.c.account_id == account_id)
            ).scalar_one()
            raise TooManyAttempts(max(since + _COUNT_WINDOW - now, timedelta(seconds=1)))
        return queued.delivery_ids[0]

    def confirm(self, token: str, code: str) -> EmailRoute:
        """Confirm the notification address with the code that was sent there.

        Raises `WrongCode`, also for a right code after `ATTEMPTS_PER_CODE` wrong ones or after `CODE_LIFETIME`.
        """
        with self._sessions.writing(token) as (tx, session):
            route = self._confirm(tx, session.account_id, code, actor=session.name, source=session.source)
        return _accepted(route)

    def send_code_by(self, token: str) -> str:
        """Queue a new code for the session's account; returns the address. Raises the errors of `send_code`."""
        with self._sessions.writing(token) as (tx, session):
            self.send_code(tx, session.account_id)
            return self.route_of(tx, session.account_id).unconfirmed

    def send_code_for(self, account_id: int) -> str:
        """Queue a new code, for an administrator; returns the address. Raises the errors of `send_code`."""
        with self._context.database.write() as tx:
            lock_against_deletion(tx, account_id)
            self.send_code(tx, account_id)
            return self.route_of(tx, account_id).unconfirmed

    def confirm_for(self, account_id: int, code: str, *, actor: str) -> EmailRoute:
        """Confirm the notification address, for an administrator. Raises `WrongCode`."""
        with self._context.database.write() as tx:
            lock_against_deletion(tx, account_id)
            route = self._confirm(tx, account_id, code, actor=actor, source="command line")
        return _accepted(route)

    def code_of(self, message_id: str) -> str:
        """The code of a message, `CODE_DIGITS` digits."""
        mac = self._context.ring.mac("email confirmation", message_id.encode())
        return f"{int.from_bytes(mac) % 10**CODE_DIGITS:0{CODE_DIGITS}}"

    def _confirm(self, tx: Connection, account_id: int, code: str, *, actor: str, source: str) -> EmailRoute | None:
        """The new route, or None for a wrong code. The caller commits both, so that the attempt is counted."""
        if not self._is_right(tx, account_id, code):
            return None
        self._audit.record(tx, account_id, Tag.NOTIFICATION_EMAIL_CONFIRMED, actor=actor, source=source)
        return self.route_of(tx, account_id)

    def _is_right(self, tx: Connection, account_id: int, code: str) -> bool:
        # The attempt is counted first: concurrent attempts would otherwise all read a low count.
        message_id = tx.execute(
            update(EmailConfirmation)
            .where(
                EmailConfirmation.c.account_id == account_id,
                # A code that was sent to an earlier address does not confirm this one.
                EmailConfirmation.c.address == self.route_of(tx, account_id).unconfirmed,
                EmailConfirmation.c.confirmed_at.is_(None),
                EmailConfirmation.c.tries < ATTEMPTS_PER_CODE,
                EmailConfirmation.c.expires_at > self._context.now(),
            )
            .values(tries=EmailConfirmation.c.tries + 1)
            .returning(EmailConfirmation.c.message_id)
        ).scalar()
        typed = "".join(code.split()).encode("utf-8", "replace")
        if message_id is None or not hmac.compare_digest(typed, self.code_of(message_id).encode()):
            return False
        claimed = tx.execute(
            update(EmailConfirmation)
            .where(EmailConfirmation.c.account_id == account_id, EmailConfirmation.c.message_id == message_id)
            .values(confirmed_at=self._context.now())
        )
        return claimed.rowcount == 1


def _accepted(route: EmailRoute | None) -> EmailRoute:
    if route is None:
        raise WrongCode("This code is not the one that was sent, or it is too old.")
    return route
