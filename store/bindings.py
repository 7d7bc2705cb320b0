"""Bindings of external identities to accounts. The key is provider and subject, never an e-mail address."""

import re
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from store import inputs
from store.audit import Audit
from store.audit_tags import COMMAND_LINE, UNNAMED, SiteTag, Tag
from store.context import Context
from store.credentials import Credentials
from store.db_enums import db_enum
from store.errors import (
    AlreadyBound,
    BindingsDisabled,
    IdentityRefused,
    InvalidLabel,
    InvalidSetting,
    NoSuchItem,
)
from store.models import Binding, Provider
from store.notices import Notices
from store.row_locks import lock_for_update
from store.sessions import Sessions
from store.sign_in import SignIn
from store.site import Site
from store.text import is_sanitized, sanitize
from store.values.bindings import BindingInfo, ProviderInfo, ProviderKind
from store.values.sign_in import SecondFactorNeeded, SignedIn

_MAX_SUBJECT_LENGTH: Final = 255
"""OpenID Connect Core, section 2, `sub`."""

_SORTED: Final = select(Provider).order_by(Provider.c.name, Provider.c.slug)
"""Several providers may have one name."""


class Bindings:
    """The administrator's identity providers, and the accounts' bindings to them."""

    def __init__(
        self,
        context: Context,
        audit: Audit,
        sessions: Sessions,
        sign_in: SignIn,
        credentials: Credentials,
        notices: Notices,
        site: Site,
    ) -> None:
        self._context = context
        self._audit = audit
        self._sessions = sessions
        self._sign_in = sign_in
        self._credentials = credentials
        self._notices = notices
        self._site = site

    # -- the administrator's side -------------------------------------------------------------------------------

    def add_provider(
        self,
        slug: str,
        name: str,
        kind: ProviderKind,
        *,
        issuer: str,
        client_id: str,
        client_secret: str | None,
        actor: str = UNNAMED,
    ) -> ProviderInfo:
        """Add a provider. Raises `InvalidLabel`, `InvalidUrl`, `InvalidSetting`."""
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", slug):
            raise InvalidSetting("A slug has 1 to 32 of a-z, 0-9 and -.", field="slug")
        name = inputs.check_label(name, field="name")
        if kind is ProviderKind.OIDC:
            issuer = inputs.check_url(issuer, field="issuer").rstrip("/")
        if not re.fullmatch(r"[\x21-\x7e]{1,255}", client_id):
            raise InvalidSetting("A client id has 1 to 255 visible characters.", field="client-id")
        sealed = None
        if client_secret:
            if not re.fullmatch(r"[\x21-\x7e]{1,1000}", client_secret):
                raise InvalidSetting("A client secret has no spaces.", field="client-secret")
            sealed = self._context.seal(client_secret, associated_data(slug))
        with self._context.database.write() as tx:
            try:
                provider_id = tx.execute(
                    insert(Provider)
                    .values(
                        slug=slug,
                        name=name,
                        kind=kind.value,
                        issuer=issuer,
                        client_id=client_id,
                        client_secret_sealed=sealed,
                        created_at=self._context.now(),
                    )
                    .returning(Provider.c.id)
                ).scalar_one()
            except IntegrityError as error:
                raise InvalidLabel(f"There is a provider called {slug} already.", field="slug") from error
            self._audit.record_site(
                tx,
                SiteTag.PROVIDER_ADDED,
                actor=actor,
                source=COMMAND_LINE,
                provider=slug,
                kind=kind.value,
                issuer=issuer,
                client_id=client_id,
            )
        return ProviderInfo(provider_id, slug, name, kind, issuer, client_id)

    def remove_provider(self, slug: str, *, actor: str = UNNAMED) -> None:
        """Remove a provider and all its bindings. Raises `NoSuchItem`."""
        with self._context.database.write() as tx:
            if tx.execute(delete(Provider).where(Provider.c.slug == slug)).rowcount != 1:
                raise NoSuchItem(f"There is no provider called {sanitize(slug, 60)}.")
            self._audit.record_site(tx, SiteTag.PROVIDER_REMOVED, actor=actor, source=COMMAND_LINE, provider=slug)

    def providers(self) -> list[ProviderInfo]:
        """All providers, sorted by name, without secrets."""
        with self._context.database.read() as tx:
            return [self._info(row, with_secret=False) for row in tx.execute(_SORTED)]

    def provider(self, slug: str) -> ProviderInfo:
        """A provider with its secret, for the gateway. Raises `NoSuchItem`, `BindingsDisabled`."""
        self.require_enabled()
        with self._context.database.read() as tx:
            row = tx.execute(select(Provider).where(Provider.c.slug == slug)).one_or_none()
        if row is None:
            raise NoSuchItem(f"There is no provider called {sanitize(slug, 60)}.")
        return self._info(row, with_secret=True)

    # -- the account's side -------------------------------------------------------------------------------------

    def is_enabled(self) -> bool:
        """True if the administrator has enabled account binding."""
        return self._site.flag("account_binding.enabled")

    def require_enabled(self) -> None:
        """Raise `BindingsDisabled` unless account binding is enabled."""
        if not self.is_enabled():
            raise BindingsDisabled

    def list(self, token: str) -> list[BindingInfo]:
        """All providers, each with the identity that the session's account has bound there."""
        with self._sessions.reading(token) as (tx, session):
            bound = {
                row.provider_id: row
                for row in tx.execute(select(Binding).where(Binding.c.account_id == session.account_id))
            }
            providers = tx.execute(_SORTED).all()
        listed = []
        for row in providers:
            binding: Any = bound.get(row.id)
            info = self._info(row, with_secret=False)
            if binding is None:
                listed.append(BindingInfo(info, None, "", None, None))
            else:
                listed.append(BindingInfo(info, binding.id, binding.display, binding.created_at, binding.last_used_at))
        return listed

    def bind(self, token: str, slug: str, subject: str, display: str) -> None:
        """Bind a verified identity to the session's account.

        Raises `BindingsDisabled`, `FreshProofRequired`, `NoSuchItem`, and `AlreadyBound` if the identity or the
        provider is bound already. The error does not reveal the other account.
        """
        self.require_enabled()
        _check_subject(subject)
        with self._sessions.writing(token, proof=True) as (tx, session):
            provider_id = tx.execute(select(Provider.c.id).where(Provider.c.slug == slug)).scalar()
            if provider_id is None:
                raise NoSuchItem("That provider was removed.")
            try:
                tx.execute(
                    insert(Binding).values(
                        account_id=session.account_id,
                        provider_id=provider_id,
                        subject=subject,
                        display=sanitize(display, 200),
                        created_at=self._context.now(),
                    )
                )
            except IntegrityError as error:
                raise AlreadyBound from error
            self._sessions.end_others(tx, session.account_id, keep=session.session_id)
            self._audit.record_by(tx, session, Tag.IDENTITY_BOUND, provider=slug)
            self._notices.enqueue(tx, session.account_id, Tag.IDENTITY_BOUND)

    def unbind(self, token: str, binding_id: int) -> None:
        """Remove a binding, even if bindings are off. Raises `NoSuchItem`, `LastCredential`, `FreshProofRequired`."""
        with self._sessions.writing(token, proof=True) as (tx, session):
            gone = tx.execute(
                delete(Binding).where(Binding.c.id == binding_id, Binding.c.account_id == session.account_id)
            )
            if gone.rowcount != 1:
                raise NoSuchItem("That identity was unbound before.")
            self._credentials.require_any(tx, session.account_id)
            self._sessions.end_others(tx, session.account_id, keep=session.session_id)
            self._audit.record_by(tx, session, Tag.IDENTITY_UNBOUND)
            self._notices.enqueue(tx, session.account_id, Tag.IDENTITY_UNBOUND)

    def sign_in(self, slug: str, subject: str, *, source: str) -> SignedIn | SecondFactorNeeded:
        """Sign in the account that has bound this verified identity. A second factor is still required.

        Raises `BindingsDisabled`, `AccountSuspended`, and `IdentityRefused` for an identity that is not bound.
        """
        self.require_enabled()
        _check_subject(subject)
        bound_to = select(Binding.c.account_id).where(
            Binding.c.provider_id == _provider(slug), Binding.c.subject == subject
        )
        with self._context.database.read() as tx:
            owner = tx.execute(bound_to).scalar()
        with self._sign_in.admitting(owner, source=source) as tx:
            account_id = self._use(tx, slug, subject)
            if account_id is None:
                raise IdentityRefused("No account is bound to this identity. Sign in with your password and bind it.")
            return self._sign_in.admit(tx, account_id, method=slug, source=source)

    def _use(self, tx: Connection, slug: str, subject: str) -> int | None:
        provider_id = _provider(slug)
        lock_for_update(
            tx, select(Binding.c.account_id).where(Binding.c.provider_id == provider_id, Binding.c.subject == subject)
        )
        return tx.execute(
            update(Binding)
            .where(Binding.c.provider_id == provider_id, Binding.c.subject == subject)
            .values(last_used_at=self._context.now())
            .returning(Binding.c.account_id)
        ).scalar()

    def _info(self, row: Any, *, with_secret: bool) -> ProviderInfo:
        secret = None
        if with_secret and row.client_secret_sealed is not None:
            secret = self._context.ring.open(row.client_secret_sealed, associated_data(row.slug))
        return ProviderInfo(
            row.id, row.slug, row.name, db_enum(ProviderKind, row.kind), row.issuer, row.client_id, secret
        )


def _provider(slug: str) -> Any:
    return select(Provider.c.id).where(Provider.c.slug == slug).scalar_subquery()


def _check_subject(subject: str) -> None:
    if not 1 <= len(subject) <= _MAX_SUBJECT_LENGTH or not is_sanitized(subject):
        raise IdentityRefused


def associated_data(slug: str) -> str:
    """The associated data of a provider's encrypted client secret."""
    return f"providers:client_secret:{slug}"
