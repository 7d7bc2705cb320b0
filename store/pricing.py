"""Prices of models, and the rules for models without a price."""

from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Connection, delete, literal, select, update

from store import inputs
from store.audit import Audit
from store.audit_tags import COMMAND_LINE, UNNAMED, SiteTag
from store.context import Context
from store.errors import InvalidMoney, InvalidNumber, ModelNotPriced, ModelSpeltOtherwise, NoSuchItem
from store.models import Price, PriceSettingsRow, UnpricedModel
from store.money import MAXIMUM_MICRO_USD, parse_usd
from store.price_lookup import find_price
from store.row_locks import lock_against_deletion
from store.sessions import Sessions
from store.site import Site
from store.site_overrides import forbids_unpriced
from store.site_switches import MAX_OUTPUT_TOKENS
from store.text import fold_case, is_sanitized, sanitize
from store.upsert import upsert, upserting_insert
from store.values.billing import ModelPrice, SeenModel

_MAX_UNPRICED_MODELS: Final = 200


class Pricing:
    """Stores prices, and quotes the price of a model for an account."""

    def __init__(self, context: Context, audit: Audit, sessions: Sessions, site: Site) -> None:
        self._context = context
        self._audit = audit
        self._sessions = sessions
        self._site = site

    def set(self, price: ModelPrice, *, actor: str = UNNAMED) -> None:
        """Store the price of a model. Raises what `put` raises."""
        with self._context.database.write() as tx:
            self.put(tx, price)
            self.note_set(tx, price, actor=actor)

    def put(self, tx: Connection, price: ModelPrice) -> None:
        """Store the price of a model, inside `tx`. `note_set` is due, after every other price of that transaction.

        Raises `InvalidModel`, `InvalidMoney`, `InvalidNumber`, and `ModelSpeltOtherwise` if a name that differs only by
        case has a price, because a call could mean either.
        """
        inputs.check_model(price.model)
        amounts = (price.input_per_million, price.output_per_million, price.per_request)
        if not all(0 <= amount <= MAXIMUM_MICRO_USD for amount in (*amounts, price.cached_input_per_million or 0)):
            raise InvalidMoney("A price is not below zero.")
        if price.is_cached_dearer:
            # The hold of a call is computed at the price of input, and a call must not cost more than its hold.
            raise InvalidMoney("Cached input costs no more than other input.", field="cached-input")
        if price.max_output_tokens is not None and not 1 <= price.max_output_tokens <= MAX_OUTPUT_TOKENS:
            raise InvalidNumber(f"A model answers with 1 to {MAX_OUTPUT_TOKENS:,} tokens.", field="max-output")
        values = {
            "input_micro_usd_per_million": price.input_per_million,
            "cached_input_micro_usd_per_million": price.cached_input_per_million,
            "output_micro_usd_per_million": price.output_per_million,
            "request_micro_usd": price.per_request,
            "max_output_tokens": price.max_output_tokens,
            "updated_at": self._context.now(),
        }
        key = fold_case(price.model)
        change = update(Price).where(Price.c.model == price.model).values(values)
        add = upserting_insert(tx.dialect.name)(Price).values(model=price.model, model_key=key, **values)
        add = add.on_conflict_do_nothing(index_elements=["model_key"]).returning(literal(1))
        # The second UPDATE is for a price that another transaction inserted after the first one (PostgreSQL).
        if not (
            tx.execute(change).rowcount or tx.execute(add).one_or_none() is not None or tx.execute(change).rowcount
        ):
            other = tx.execute(select(Price.c.model).where(Price.c.model_key == key)).scalar()
            raise ModelSpeltOtherwise(sanitize(other, inputs.MAX_MODEL_LENGTH))
        seen = tx.execute(select(UnpricedModel.c.model).distinct()).scalars()
        same = [model for model in seen if fold_case(model) == key]
        if same:
            tx.execute(delete(UnpricedModel).where(UnpricedModel.c.model.in_(same)))

    def note_set(self, tx: Connection, price: ModelPrice, *, actor: str) -> None:
        """Record in the audit log that a price was set, inside `tx`. It locks the log of the site until the end."""
        # `is_default` is always False here, so the log omits it.
        told = {name: value for name, value in asdict(price).items() if value is not None and name != "is_default"}
        self._audit.record_site(tx, SiteTag.PRICE_SET, actor=actor, source=COMMAND_LINE, **told)

    def remove(self, model: str, *, actor: str = UNNAMED) -> None:
        """Delete the price of a model. Raises `NoSuchItem`."""
        with self._context.database.write() as tx:
            # The driver refuses some names, such as one with a lone surrogate. Such a name has no price.
            if not is_sanitized(model) or tx.execute(delete(Price).where(Price.c.model == model)).rowcount != 1:
                raise NoSuchItem(f"The model {sanitize(model, 200)} has no price.")
            # Another price that differs only by case gets the key now.
            keyless = tx.execute(
                select(Price.c.model).where(Price.c.model_key.is_(None)).order_by(Price.c.model)
            ).scalars()
            heir = next((other for other in keyless if fold_case(other) == fold_case(model)), None)
            if heir is not None:
                tx.execute(update(Price).where(Price.c.model == heir).values(model_key=fold_case(heir)))
            self._audit.record_site(tx, SiteTag.PRICE_REMOVED, actor=actor, source=COMMAND_LINE, model=model)

    def all(self) -> list[ModelPrice]:
        """All prices, sorted by model."""
        with self._context.database.read() as tx:
            return self.all_in(tx)

    def all_in(self, tx: Connection) -> list[ModelPrice]:
        """As `all`, inside `tx`."""
        return [_price(row) for row in tx.execute(select(Price).order_by(Price.c.model))]

    def page_of(self, tx: Connection, *, after: str = "", limit: int) -> list[ModelPrice]:
        """At most `limit` prices of models that come after the name `after`, sorted by model, inside `tx`."""
        query = select(Price).where(Price.c.model > after).order_by(Price.c.model).limit(limit)
        return [_price(row) for row in tx.execute(query)]

    def find(self, model: str) -> ModelPrice | None:
        """The price of this model, or of a name that differs only by case; None without one."""
        with self._context.database.read() as tx:
            return find_price(tx, model)

    def admit(self, account_id: int, model: str) -> ModelPrice | None:
        """The price of `model` for the account, or None for an accepted model that is free.

        An unpriced model is noted. Raises `ModelNotPriced` unless the account accepts such models; a setting that
        cannot be read counts as off.
        """
        try:
            with self._context.database.read() as tx:
                price = self.quote(tx, account_id, model)
        except ModelNotPriced:
            with self._context.database.write() as tx:
                self.note_unpriced(tx, account_id, model)
            raise
        if price is None or price.is_default:
            with self._context.database.write() as tx:
                self.note_unpriced(tx, account_id, model)
        return price

    def quote(self, tx: Connection, account_id: int, model: str) -> ModelPrice | None:
        """The price of `model`, as `admit`, inside `tx`. An unpriced model is not noted. Raises `ModelNotPriced`."""
        return self.quote_found(tx, account_id, model, find_price(tx, model))

    def quote_found(self, tx: Connection, account_id: int, model: str, price: ModelPrice | None) -> ModelPrice | None:
        """As `quote`, where the lookup has found `price`, or none."""
        if price is not None:
            return price
        if not self.accepts_unpriced(tx, account_id):
            raise ModelNotPriced(sanitize(model, 200), is_forbidden=forbids_unpriced(self._site, tx))
        rate = self._site.text_in(tx, "price.unpriced_rate")
        if not rate:
            return None
        per_in, per_out = (parse_usd(amount, places=6) for amount in rate.split("/"))
        return ModelPrice(sanitize(model, inputs.MAX_MODEL_LENGTH), per_in, per_out, is_default=True)

    def unpriced_models(self, token: str) -> list[SeenModel]:
        """The models without a price that the session's account called, last seen first."""
        with self._sessions.reading(token) as (tx, session):
            rows = tx.execute(
                select(UnpricedModel)
                .where(UnpricedModel.c.account_id == session.account_id)
                .order_by(UnpricedModel.c.last_seen_at.desc(), UnpricedModel.c.model)
                .limit(_MAX_UNPRICED_MODELS)
            )
            return [SeenModel(row.model, row.calls, row.last_seen_at) for row in rows]

    def accepts_unpriced(self, tx: Connection, account_id: int) -> bool:
        """True if the account accepts models without a price and the site leaves the decision to accounts.

        An account setting that cannot be read counts as off.
        """
        accepts = tx.execute(
            select(PriceSettingsRow.c.accept_unpriced_models).where(PriceSettingsRow.c.account_id == account_id)
        ).scalar()
        return accepts is True and not forbids_unpriced(self._site, tx)

    def forbids_unpriced(self) -> bool:
        """True if the administrator allows no model without a price, whatever an account accepts."""
        with self._context.database.read() as tx:
            return forbids_unpriced(self._site, tx)

    def note_unpriced(self, tx: Connection, account_id: int, model: str) -> None:
        """Count a call of a model without a price, which is shown to the account's owner."""
        lock_against_deletion(tx, account_id)
        upsert(
            tx,
            UnpricedModel,
            {"account_id": account_id, "model": sanitize(model, inputs.MAX_MODEL_LENGTH)},
            {"calls": (1, UnpricedModel.c.calls + 1), "last_seen_at": self._context.now()},
        )
        # Only the newest rows are kept: a client that invents names must not fill the disk.
        newest_first = (
            select(UnpricedModel.c.model)
            .where(UnpricedModel.c.account_id == account_id)
            .order_by(UnpricedModel.c.last_seen_at.desc(), UnpricedModel.c.model)
        )
        too_many = tx.execute(newest_first.offset(_MAX_UNPRICED_MODELS)).scalars().all()
        if too_many:
            tx.execute(
                delete(UnpricedModel).where(
                    UnpricedModel.c.account_id == account_id, UnpricedModel.c.model.in_(too_many)
                )
            )


def _price(row: Any) -> ModelPrice:
    return ModelPrice(
        row.model,
        row.input_micro_usd_per_million,
        row.output_micro_usd_per_million,
        row.request_micro_usd,
        row.cached_input_micro_usd_per_million,
        row.max_output_tokens,
    )
