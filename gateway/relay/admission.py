"""Whether a call may go ahead: key, account, price, and money, in that order."""

from sqlalchemy import Connection

from gateway.relay.request import Call
from gateway.relay.usage import Usage
from store.api_keys import KeyHolder
from store.errors import InvalidApiKey, QuotaExceeded, SpendLimitReached
from store.pricing import ModelPrice
from store.reservations import Hold
from store.store import Store


class Admission:
    """One call at the door. `read` first, then `hold` in a write transaction; what `read` found stays here."""

    def __init__(self, store: Store, key: str, call: Call) -> None:
        self._store = store
        self._key = key
        self._call = call
        self.holder: KeyHolder | None = None
        """Known even when the call is refused."""
        self.price: ModelPrice | None = None
        """None: the model has no price, and the account accepts that."""
        self._most = 0
        """Micro-USD that are held."""

    @property
    def known_holder(self) -> KeyHolder:
        """Raises `InvalidApiKey` before `read` has found one."""
        if self.holder is None:
            raise InvalidApiKey
        return self.holder

    def read(self, tx: Connection) -> None:
        """Whose key it is, what the model costs, and whether there is money for it at all.

        Raises `InvalidApiKey`, `ModelNotPriced`, `QuotaExceeded`, `SpendLimitReached`.
        """
        holder, call = self._store.api_keys.holder(tx, self._key), self._call
        self.holder = holder
        self.price = self._store.pricing.quote(tx, holder.account_id, call.model)
        self._most = Usage(call.prompt_tokens, call.completion_tokens, call.pictures).cost(self.price)
        # The hold decides. But one that fails undoes what is written together with it, and the calls of an account
        # that has nothing left come again and again.
        if holder.free_micro_usd < self._most:
            raise QuotaExceeded
        if holder.free_on_key_micro_usd is not None and holder.free_on_key_micro_usd < self._most:
            raise SpendLimitReached

    def hold(self, tx: Connection) -> Hold:
        """Hold what the call may cost at most; returns what it is booked with.

        Raises `QuotaExceeded`, `SpendLimitReached`.
        """
        holder, call = self.known_holder, self._call
        if self.price is None:
            self._store.pricing.note_unpriced(tx, holder.account_id, call.model)
        hold = self._store.quota.hold(tx, holder.account_id, self._most, api_key_id=holder.key_id)
        if holder.is_stale:
            # After the hold: everyone locks the quota before the key, or two calls would wait for each other.
            self._store.api_keys.note_use(tx, holder)
        return hold
