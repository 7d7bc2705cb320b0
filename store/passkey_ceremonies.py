"""Passkey ceremonies: registration, sign-in and re-authentication in a browser while a console waits.

The browser runs the ceremony (WebAuthn level 3) and the gateway verifies it. This module stores the challenge, which is
valid once, for two minutes, and for one purpose and session.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from store import inputs
from store.context import Context
from store.db_enums import db_enum
from store.errors import PasskeyRefused, SignInExpired
from store.models import PasskeyCeremony
from store.passkeys import Passkeys
from store.row_locks import lock_for_update
from store.sessions import Sessions, digest
from store.sign_in import SignIn
from store.text import sanitize
from store.throttle import Throttles
from store.values.passkeys import CeremonyStarted, CeremonyState
from store.values.sign_in import SecondFactorNeeded, SignedIn

CEREMONY_LIFETIME: Final = timedelta(seconds=120)
CHALLENGE_BYTES: Final = 32
_VERIFICATION_TIMEOUT: Final = timedelta(seconds=10)
"""The time for the verification of an answer that arrived in time."""
_CODE_ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""Consonants only, so that no code is a word (RFC 8628, 6.1)."""
_CODE_LENGTH: Final = 8


class Purpose(StrEnum):
    """The act that a ceremony authorizes."""

    REGISTER = "register"
    SIGN_IN = "sign-in"
    PROVE = "prove"


@dataclass(frozen=True, slots=True)
class Ceremony:
    """A ceremony, for the gateway."""

    id: int
    purpose: Purpose
    challenge: bytes = field(repr=False)
    label: str
    account_id: int | None
    account_name: str
    user_handle: bytes
    credential_ids: tuple[bytes, ...]
    """The account's passkeys: excluded in a registration, allowed in an assertion."""
    expires_at: datetime


class PasskeyCeremonies:
    """The console's side: starts a ceremony, and collects its outcome."""

    def __init__(
        self,
        context: Context,
        throttles: Throttles,
        sessions: Sessions,
        sign_in: SignIn,
        passkeys: Passkeys,
    ) -> None:
        self._context = context
        self._throttles = throttles
        self._sessions = sessions
        self._sign_in = sign_in
        self._passkeys = passkeys

    def begin_registration(self, token: str, label: str) -> CeremonyStarted:
        """Start a registration. Raises `PasskeysDisabled`, `InvalidLabel`, `LimitReached`, `FreshProofRequired`."""
        self._passkeys.require_enabled()
        label = inputs.check_label(label, field="passkey-label")
        with self._sessions.writing(token, proof=True) as (tx, session):
            self._passkeys.check_new_label(tx, session.account_id, label)
            return self._begin(tx, Purpose.REGISTER, session.source, session.account_id, session.session_id, label)

    def begin_proof(self, token: str) -> CeremonyStarted:
        """Start a re-authentication. Raises `PasskeysDisabled`."""
        self._passkeys.require_enabled()
        with self._sessions.writing(token) as (tx, session):
            return self._begin(tx, Purpose.PROVE, session.source, session.account_id, session.session_id, "")

    def begin_sign_in(self, *, source: str, peer: str = "") -> CeremonyStarted:
        """Start a sign-in. The passkey determines the account. Attempts are counted by `peer`, or else by `source`.

        Raises `PasskeysDisabled`, `TooManyAttempts`.
        """
        self._passkeys.require_enabled()
        self._throttles.admit(peer or source)
        with self._context.database.write() as tx:
            return self._begin(tx, Purpose.SIGN_IN, source, None, None, "")

    def outcome(self, ticket: str) -> CeremonyState:
        """The state of a ceremony, for the waiting console. Raises `PasskeyRefused` with the reason of a failure."""
        with self._context.database.read() as tx:
            row = tx.execute(
                select(PasskeyCeremony.c.state, PasskeyCeremony.c.failure, PasskeyCeremony.c.expires_at).where(
                    PasskeyCeremony.c.ticket_hash == digest(ticket)
                )
            ).one_or_none()
        if row is None:
            return CeremonyState.EXPIRED
        state = db_enum(CeremonyState, row.state)
        if state is CeremonyState.FAILED:
            raise PasskeyRefused(row.failure or None)
        # A gateway that died during the verification leaves the state CLAIMED.
        patience = _VERIFICATION_TIMEOUT if state is CeremonyState.CLAIMED else timedelta()
        is_open = state in (CeremonyState.WAITING, CeremonyState.CLAIMED)
        if is_open and row.expires_at + patience <= self._context.now():
            return CeremonyState.EXPIRED
        return state

    def collect_sign_in(self, ticket: str, *, source: str, peer: str = "") -> SignedIn | SecondFactorNeeded:
        """Open a session after a finished sign-in ceremony, once. Raises `SignInExpired`, `AccountSuspended`."""
        self._passkeys.require_enabled()
        owner = select(PasskeyCeremony.c.account_id).where(PasskeyCeremony.c.ticket_hash == digest(ticket))
        with self._context.database.read() as tx:
            account_id = tx.execute(owner).scalar()
        with self._sign_in.admitting(account_id, source=source) as tx:
            lock_for_update(tx, owner)
            collected = tx.execute(
                update(PasskeyCeremony)
                .where(
                    PasskeyCeremony.c.ticket_hash == digest(ticket),
                    PasskeyCeremony.c.purpose == Purpose.SIGN_IN.value,
                    PasskeyCeremony.c.state == CeremonyState.DONE.value,
                    PasskeyCeremony.c.expires_at > self._context.now() - CEREMONY_LIFETIME,
                )
                .values(state=CeremonyState.COLLECTED.value)
                .returning(PasskeyCeremony.c.account_id, PasskeyCeremony.c.expires_at)
            ).one_or_none()
            if collected is None or collected.account_id is None:
                raise SignInExpired
            answer = self._sign_in.admit(tx, collected.account_id, method="passkey", source=source)
            self._throttles.refund_in(tx, peer or source, tried_at=collected.expires_at - CEREMONY_LIFETIME)
            return answer

    def cancel(self, ticket: str) -> None:
        """Delete a ceremony that the console gave up."""
        with self._context.database.write() as tx:
            tx.execute(delete(PasskeyCeremony).where(PasskeyCeremony.c.ticket_hash == digest(ticket)))

    def _begin(
        self,
        tx: Connection,
        purpose: Purpose,
        source: str,
        account_id: int | None,
        session_id: int | None,
        label: str,
    ) -> CeremonyStarted:
        now = self._context.now()
        tx.execute(delete(PasskeyCeremony).where(PasskeyCeremony.c.expires_at < now - CEREMONY_LIFETIME))
        if session_id is not None:
            tx.execute(delete(PasskeyCeremony).where(PasskeyCeremony.c.session_id == session_id))
        code, ticket = new_code(self._context.rng), self._context.rng.randbytes(32).hex()
        tx.execute(
            insert(PasskeyCeremony).values(
                account_id=account_id,
                session_id=session_id,
                purpose=purpose.value,
                code_hash=digest(canonical_code(code)),
                ticket_hash=digest(ticket),
                label=label,
                source=sanitize(source, 200),
                challenge=self._context.rng.randbytes(CHALLENGE_BYTES),
                expires_at=now + CEREMONY_LIFETIME,
                state=CeremonyState.WAITING.value,
                failure="",
            )
        )
        return CeremonyStarted(code, ticket, now + CEREMONY_LIFETIME)


def new_code(rng: random.Random) -> str:
    """A short code to type: eight consonants of the form `XXXX-XXXX` (34 bits, valid for 120 s)."""
    letters = "".join(rng.choice(_CODE_ALPHABET) for _ in range(_CODE_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def canonical_code(text: str) -> str:
    """A typed code in upper case, without spaces and dashes."""
    return text.replace(" ", "").replace("-", "").upper()[:64]
