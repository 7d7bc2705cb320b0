"""Admission of a call: checks the credential, what it may do, the price and the money, in that order."""

from dataclasses import replace

from sqlalchemy import Connection

from gateway.problems import OpenAiProblem
from gateway.relay.known_calls import KnownCalls
from gateway.relay.output_limits import CostCeiling, LimitCompliance
from gateway.relay.request import Call, OutputLength
from gateway.site_view import SiteView
from store.api_key_use import KeyHolder
from store.call_credentials import CallCredential
from store.errors import GatekeyError, InvalidApiKey, NoSuchItem, QuotaExceeded, SpendLimitReached
from store.money import show_usd
from store.reservations import Hold
from store.shared_reads import SharedReads
from store.shortcut import Shortcut
from store.store import Store
from store.text import sanitize
from store.values.billing import ModelPrice
from store.values.usage import Kind


class Admission:
    """The admission of one call: `read`, then `hold` in a write transaction. Attributes hold the results."""

    def __init__(
        self,
        store: Store,
        credential: CallCredential,
        address: str,
        call: Call,
        site: SiteView,
        compliance: LimitCompliance,
        known: KnownCalls,
    ) -> None:
        self._store = store
        self._credential = credential
        self._address = address
        self._site = site
        self._compliance = compliance
        self._known = known
        self._asked = call
        self.call = call
        """The call as sent to the model server: under the model name of its price, limited to the affordable length."""
        self.holder: KeyHolder | None = None
        """Set even when the call is refused."""
        self.price: ModelPrice | None = None
        """None: the model has no price, the account accepts that, and the administrator set no default rate."""
        self.limit: int | None = None
        """Tokens each answer was limited to here, because no more could be paid for."""
        self._max_micro_usd = 0
        """Amount to hold, in micro-USD."""

    @property
    def known_holder(self) -> KeyHolder:
        """Raises `InvalidApiKey` before `read` has set the holder."""
        if self.holder is None:
            raise InvalidApiKey
        return self.holder

    def read(self, reads: SharedReads) -> None:
        """Authenticate the key, read the price, and compare the cost with the free money.

        Raises `InvalidApiKey`, the errors of `ApiKeyUse.check`, `ModelNotPriced`, `QuotaExceeded`,
        `SpendLimitReached`, and `OpenAiProblem` for another account's file or response.
        """
        call, credential, tx = self._asked, self._credential, reads.tx
        self.call, self.holder = call, None
        self._known.forget(credential, call.model)  # until this read is over: it may refuse the call
        holder, found = reads.once((credential, call.model), lambda tx: credential.holder_and_price(tx, call.model))
        self.holder = holder
        self._store.api_keys.check(holder, self._address, call.model)
        if call.endpoint.kind is Kind.TASK:
            self._check_file(tx, holder.account_id)
        elif call.resource_id:
            self._continue_response(tx, holder.account_id)
        self._price_at(self._store.pricing.quote_found(tx, holder.account_id, call.model, found))
        free = _free_micro_usd(holder)
        if self._max_micro_usd > free:
            self._limit_to(free)
        # The hold decides. This earlier check avoids rolling back the jobs of the same transaction: the calls of an
        # account without money come again and again.
        if self._max_micro_usd > free:
            raise self._refusal(holder)
        self._known.note(credential, call.model, holder, found)

    def expected_hold(self) -> Shortcut[Hold] | None:
        """The shortcut for `read` and `hold` together, for a call whose key and price an earlier call has read.

        None without one, and for a call that would be refused, limited, or that refers to a stored file or response.
        """
        call, credential = self._asked, self._credential
        known = self._known.find(credential, call.model)
        if known is None or call.resource_id:
            return None
        try:
            self._store.api_keys.check(known.holder, self._address, call.model)
            self._price_at(known.price)
        except GatekeyError:
            return None  # `read` refuses the call, by what it finds now
        self.holder = known.holder
        if self._max_micro_usd > _free_micro_usd(known.holder):
            return None
        return self._store.quota.shortcuts.known_hold(known, self._max_micro_usd)

    def _price_at(self, price: ModelPrice | None) -> None:
        self.price = price
        if price is not None:
            # The call is charged at the price of this model name, so the model server gets the same name.
            self.call = self.call.rewritten(price.model, None)
        self._max_micro_usd = self._ceiling.max_micro_usd

    def _check_file(self, tx: Connection, account_id: int) -> None:
        """Raise `OpenAiProblem` 404 for an input file of another account."""
        try:
            self._store.relay_files.read(tx, account_id, sanitize(self.call.resource_id))
        except NoSuchItem as error:
            sentence = "There is no file of that name. Upload it first (POST /v1/files)."
            raise OpenAiProblem(404, sentence, param="input_file_id", code="file_not_found") from error

    def _continue_response(self, tx: Connection, account_id: int) -> None:
        """Add the conversation so far to the prompt. Raises `OpenAiProblem` 400 for another account's response."""
        name = self.call.resource_id
        try:
            tokens = self._store.stored_responses.tokens(tx, account_id, name)
        except NoSuchItem as error:
            sentence = f"There is no response {name}, or it was not stored. Store it first, with store true."
            code = "previous_response_not_found"
            raise OpenAiProblem(400, sentence, param="previous_response_id", code=code) from error
        self.call = replace(self.call, prompt_tokens=self.call.prompt_tokens + tokens)

    def hold(self, tx: Connection) -> Hold:
        """Hold the maximum cost of the call; returns the hold that its booking needs.

        Raises `QuotaExceeded`, `SpendLimitReached`, `RequestRateReached`.
        """
        holder = self.known_holder
        try:
            hold = self._store.quota.hold(tx, holder.account_id, self._max_micro_usd, api_key_id=holder.key_id)
        except (QuotaExceeded, SpendLimitReached) as error:
            # Other calls have held money since `read`.
            raise self._refusal(self._credential.holder(tx), type(error)) from error
        # After the hold: every transaction locks the quota before other rows, or two calls could deadlock.
        if self.price is None or self.price.is_default:
            self._store.pricing.note_unpriced(tx, holder.account_id, self.call.model)
        self._store.api_keys.claim_request(tx, holder)
        if holder.is_stale:
            self._store.api_keys.note_use(tx, holder, self._address)
        return hold

    def hold_shortcut(self) -> Shortcut[Hold] | None:
        """The shortcut for `hold`; None for a call that changes more than the quota and the spending of its key."""
        holder = self.known_holder
        if holder.key_id is None or holder.is_stale or holder.requests_per_minute is not None:
            return None
        if self.price is None or self.price.is_default:
            return None
        return self._store.quota.shortcuts.hold(holder.account_id, self._max_micro_usd, api_key_id=holder.key_id)

    @property
    def _ceiling(self) -> CostCeiling:
        return CostCeiling(self.call, self.price, self._site, self.trusts_limit)

    @property
    def trusts_limit(self) -> bool:
        """True if the model server is trusted to respect a limit in the request."""
        return self._compliance.trusts(self._site, self.call.model)

    def _limit_to(self, free: int) -> None:
        """Limit the answer to what `free` micro-USD pay for, if the client set no limit of its own."""
        ceiling = self._ceiling
        limit = ceiling.limit_covered_by(free)
        if limit is not None:
            limited = self.call.rewritten(self.call.model, limit)
            self.call = replace(limited, length=OutputLength(self.call.length.answers, limit[1]))
            self.limit = limit[1]
            self._max_micro_usd = ceiling.cost(limit[1])

    def _refusal(self, holder: KeyHolder, kind: type[GatekeyError] | None = None) -> GatekeyError:
        """The error for a call that is not covered, in dollars and tokens. `kind` names the exceeded limit; None: work
        it out."""
        ceiling, on_key = self._ceiling, holder.free_on_key_micro_usd
        is_quota = holder.free_micro_usd < self._max_micro_usd if kind is None else kind is QuotaExceeded
        free, held = holder.free_micro_usd, holder.held_micro_usd
        left = "of the quota"
        if not is_quota and on_key is not None:
            free, held, left = on_key, holder.held_on_key_micro_usd, "of the key's spend limit"
        sentences = [QuotaExceeded.sentence if is_quota else SpendLimitReached.sentence, ceiling.explain()]
        sentences.append(f"{show_usd(max(free, 0), exact=True)} {left} is left")
        sentences[-1] += f", and {show_usd(held, exact=True)} is held for calls under way." if held else "."
        tokens = ceiling.affordable_tokens(_free_micro_usd(holder))
        if tokens:
            sentences.append(f"With {self.call.endpoint.limits[0]} of {tokens:,} or less it is covered.")
        sentence = " ".join(sentences)
        return QuotaExceeded(sentence) if is_quota else SpendLimitReached(sentence)


def _free_micro_usd(holder: KeyHolder) -> int:
    on_key = holder.free_on_key_micro_usd
    return holder.free_micro_usd if on_key is None else min(holder.free_micro_usd, on_key)
