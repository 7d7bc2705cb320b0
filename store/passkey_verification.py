"""The gateway's side of passkey ceremonies: it claims a ceremony, verifies the answer, and stores the result."""

from typing import Any

from sqlalchemy import Connection, or_, select, update

from store.audit import Audit
from store.audit_tags import Tag
from store.context import Context
from store.db_enums import db_enum
from store.errors import ClonedPasskey, PasskeyRefused, SignInExpired
from store.models import Account, Passkey, PasskeyCeremony
from store.passkey_ceremonies import Ceremony, Purpose, canonical_code
from store.passkeys import NewCredential, Passkeys, StoredCredential
from store.row_locks import lock_for_update
from store.sessions import Sessions, digest
from store.text import sanitize
from store.values.passkeys import CeremonyState


class PasskeyVerification:
    """Each ceremony is claimed once, before its answer is verified."""

    def __init__(self, context: Context, audit: Audit, sessions: Sessions, passkeys: Passkeys) -> None:
        self._context = context
        self._audit = audit
        self._sessions = sessions
        self._passkeys = passkeys

    def look_up(self, code: str) -> Ceremony:
        """The ceremony of a short code. Raises `SignInExpired`, `PasskeysDisabled`."""
        self._passkeys.require_enabled()
        with self._context.database.read() as tx:
            row = tx.execute(
                select(PasskeyCeremony).where(
                    PasskeyCeremony.c.code_hash == digest(canonical_code(code)),
                    PasskeyCeremony.c.state == CeremonyState.WAITING.value,
                    PasskeyCeremony.c.expires_at > self._context.now(),
                )
            ).one_or_none()
            if row is None:
                raise SignInExpired("This code is not known or has expired. Start again in the console.")
            return self._ceremony(tx, row)

    def claim(self, code: str) -> Ceremony:
        """Claim the ceremony before its answer is verified, which uses the challenge. Raises as `look_up`."""
        self._passkeys.require_enabled()
        with self._context.database.write() as tx:
            row = tx.execute(
                update(PasskeyCeremony)
                .where(
                    PasskeyCeremony.c.code_hash == digest(canonical_code(code)),
                    PasskeyCeremony.c.state == CeremonyState.WAITING.value,
                    PasskeyCeremony.c.expires_at > self._context.now(),
                )
                .values(state=CeremonyState.CLAIMED.value)
                .returning(*PasskeyCeremony.c)
            ).one_or_none()
            if row is None:
                raise SignInExpired("This code is not known or has expired. Start again in the console.")
            return self._ceremony(tx, row)

    def finish_registration(self, ceremony: Ceremony, credential: NewCredential) -> None:
        """Store the credential of a claimed registration. Raises `SignInExpired`, `LimitReached`, `AlreadyBound`."""
        with self._context.database.write() as tx:
            lock_for_update(tx, select(PasskeyCeremony.c.account_id).where(PasskeyCeremony.c.id == ceremony.id))
            row = self._settle(tx, ceremony, Purpose.REGISTER)
            account = tx.execute(select(Account.c.name).where(Account.c.id == row.account_id)).one_or_none()
            if account is None or not self._sessions.is_live(tx, row.session_id):
                raise SignInExpired("The console that asked for this has signed out.")
            owner = (row.account_id, account.name, row.source, row.session_id)
            self._passkeys.store_credential(tx, *owner, row.label, credential)

    def finish_assertion(self, ceremony: Ceremony, stored: StoredCredential, sign_count: int) -> None:
        """Finish a claimed sign-in or re-authentication after its assertion was verified.

        A conditional UPDATE sets the counter: of two assertions with one count only one is accepted. Raises
        `ClonedPasskey` if the counter went backwards (the passkey is flagged), `SignInExpired`, `PasskeyRefused`.
        """
        try:
            with self._context.database.write() as tx:
                lock_for_update(tx, stored.account_id)
                row = self._settle(tx, ceremony, ceremony.purpose)
                if ceremony.purpose is Purpose.PROVE and row.account_id != stored.account_id:
                    raise PasskeyRefused("This passkey belongs to another account.")
                moved = tx.execute(
                    update(Passkey)
                    .where(
                        Passkey.c.id == stored.passkey_id,
                        Passkey.c.flagged_at.is_(None),
                        # Synced passkeys keep their counter at zero (WebAuthn level 3, 6.1.1).
                        or_(Passkey.c.sign_count < sign_count, (Passkey.c.sign_count == 0) & (sign_count == 0)),
                    )
                    .values(sign_count=sign_count, last_used_at=self._context.now())
                )
                if moved.rowcount != 1:
                    raise ClonedPasskey
                if ceremony.purpose is Purpose.PROVE:
                    if not self._sessions.is_live(tx, row.session_id):
                        raise SignInExpired("The console that asked for this has signed out.")
                    self._sessions.note_proof(tx, row.session_id)
                    self._audit.record(
                        tx,
                        stored.account_id,
                        Tag.PROVED,
                        actor=ceremony.account_name,
                        source=row.source,
                        method="passkey",
                    )
                else:
                    tx.execute(
                        update(PasskeyCeremony)
                        .where(PasskeyCeremony.c.id == ceremony.id)
                        .values(account_id=stored.account_id)
                    )
        except ClonedPasskey:
            self._passkeys.flag(stored)
            raise

    def fail(self, ceremony: Ceremony, sentence: str) -> None:
        """Mark a claimed ceremony as failed, with a sentence for the waiting console."""
        with self._context.database.write() as tx:
            tx.execute(
                update(PasskeyCeremony)
                .where(PasskeyCeremony.c.id == ceremony.id, PasskeyCeremony.c.state == CeremonyState.CLAIMED.value)
                .values(state=CeremonyState.FAILED.value, failure=sanitize(sentence, 300))
            )

    def _ceremony(self, tx: Connection, row: Any) -> Ceremony:
        name, handle = "", b""
        own: tuple[bytes, ...] = ()
        if row.account_id is not None:
            account = tx.execute(
                select(Account.c.name, Account.c.user_handle).where(Account.c.id == row.account_id)
            ).one()
            name, handle = account.name, account.user_handle
            passkeys = select(Passkey.c.credential_id).where(Passkey.c.account_id == row.account_id)
            # A browser takes the order as one of preference (WebAuthn 3, 5.5).
            own = tuple(tx.execute(passkeys.order_by(Passkey.c.id)).scalars())
        return Ceremony(
            id=row.id,
            purpose=db_enum(Purpose, row.purpose),
            challenge=row.challenge,
            label=row.label,
            account_id=row.account_id,
            account_name=name,
            user_handle=handle,
            credential_ids=own,
            expires_at=row.expires_at,
        )

    def _settle(self, tx: Connection, ceremony: Ceremony, purpose: Purpose) -> Any:
        row = tx.execute(
            update(PasskeyCeremony)
            .where(
                PasskeyCeremony.c.id == ceremony.id,
                PasskeyCeremony.c.purpose == purpose.value,
                PasskeyCeremony.c.state == CeremonyState.CLAIMED.value,
            )
            .values(state=CeremonyState.DONE.value, challenge=None)
            .returning(
                PasskeyCeremony.c.account_id,
                PasskeyCeremony.c.session_id,
                PasskeyCeremony.c.label,
                PasskeyCeremony.c.source,
            )
        ).one_or_none()
        if row is None:
            raise SignInExpired
        return row
