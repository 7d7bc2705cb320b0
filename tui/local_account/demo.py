"""The account of `gatekey --demo`: in memory, with made-up data, and gone when the console closes."""

import random
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from store.clock import SystemClock, Uptime
from store.values.api_keys import ApiKeyLimits, LimitPeriod

if TYPE_CHECKING:
    from store.store import Store
    from store.values.usage import UsageEntry
    from tui.account import DemoCredentials

NAME: Final = "alice"
PASSWORD: Final = "demo-only quiet harbour"  # noqa: S105 - shown on the screen of a throw-away account
EMAIL: Final = "alice@example.com"
_MODELS: Final = (
    ("gpt-5-mini", 250_000, 2_000_000),
    ("claude-sonnet-4.5", 3_000_000, 15_000_000),
    ("deepseek-chat", 270_000, 1_100_000),
)
_KEYS: Final = ("build server", "notebook")
BALANCE_MICRO_USD: Final = 4_200_000
"""The balance after the calls."""
_DAYS: Final = 14
_CALLS_A_DAY: Final = 6


def credentials() -> "DemoCredentials":
    """The credentials of the demo account."""
    from tui.account import DemoCredentials

    return DemoCredentials(NAME, PASSWORD)


class ShiftedClock:
    """The machine's clock, moved into the past by `shift` while the history is made up."""

    def __init__(self) -> None:
        self.shift = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) - self.shift

    def uptime(self) -> Uptime:
        return SystemClock().uptime()


def open_demo(clock: ShiftedClock | None = None, rng: random.Random | None = None) -> "tuple[Store, str]":
    """A store in memory with the demo account, and the token of a session on it.

    A fixed `clock` and `rng` make the same demo every time, for pictures. Hashing is cheap, because there is nothing
    to protect.
    """
    from store.at_rest import KeyRing
    from store.hashing import Cost, Hasher
    from store.store import open_store
    from store.strength import MIN_SCORE, Strength, estimate
    from store.values.sign_in import SignedIn

    clock, rng = clock or ShiftedClock(), rng or secrets.SystemRandom()

    def without_word_lists(password: str, known_words: tuple[str, ...]) -> Strength:
        # The demo's own password is known to be good, and the word lists of zxcvbn take 14 MB.
        return Strength(MIN_SCORE, "") if password == PASSWORD else estimate(password, known_words)

    cheap = Hasher(Cost(1024, 1, 1), Cost(1024, 1, 1))
    store = open_store("sqlite://", KeyRing.new(rng), clock=clock, rng=rng, hasher=cheap, estimator=without_word_lists)
    clock.shift = timedelta(days=40)
    calls = _history()
    spent = sum(call.entry.cost_micro_usd for call in calls)
    store.accounts.create(NAME, PASSWORD, email=EMAIL, quota_micro_usd=BALANCE_MICRO_USD + spent, actor="demo")
    _fill(store, clock, calls)
    clock.shift = timedelta(0)
    answer = store.sign_in.with_password(NAME, PASSWORD, source="this terminal")
    if not isinstance(answer, SignedIn):
        raise TypeError("a demo account asks for no second factor")
    # What made the demo is not run again.
    store.database.engine.clear_compiled_cache()
    return store, answer.token


class _Call(NamedTuple):
    """One call of the made-up history."""

    ago: timedelta
    entry: "UsageEntry"


def _fill(store: "Store", clock: ShiftedClock, calls: "list[_Call]") -> None:
    from store.sections import NotificationSettings
    from store.values.billing import ModelPrice
    from store.values.sign_in import SignedIn

    for model, price_in, price_out in _MODELS:
        store.pricing.set(ModelPrice(model, price_in, price_out))
    clock.shift = timedelta(days=_DAYS + 1)
    answer = store.sign_in.with_password(NAME, PASSWORD, source="ssh 192.0.2.10 pts/3")
    if not isinstance(answer, SignedIn):
        raise TypeError("a demo account asks for no second factor")
    store.access_token.generate(answer.token)
    ends = clock.now() + timedelta(days=_DAYS + 60)
    limits = (
        ApiKeyLimits(expires_at=ends, allowed_models=tuple(model for model, _, _ in _MODELS), requests_per_minute=60),
        ApiKeyLimits(spend_limit_micro_usd=5_000_000, limit_period=LimitPeriod.MONTHLY),
    )
    made = [store.api_keys.create(answer.token, *each) for each in zip(_KEYS, limits, strict=True)]
    saved = store.settings.load(answer.token, NotificationSettings)
    store.settings.save(answer.token, saved.section, saved.version)
    _book(store, clock, calls, {key.info.name: key.info.id for key in made})
    for key in made:
        clock.shift = min(call.ago for call in calls if call.entry.api_key_name == key.info.name)
        store.api_keys.authenticate(key.key)


def _book(store: "Store", clock: ShiftedClock, calls: "list[_Call]", keys: dict[str, int]) -> None:
    """Charge each call as the gateway would, so that the balance, the keys and the log tell one story."""
    from store.past_calls import PastCall, book_past_calls

    clock.shift = timedelta(0)
    now = clock.now()
    past = [PastCall(now - call.ago, keys[call.entry.api_key_name], call.entry) for call in calls]
    account = store.accounts.find(NAME)
    with store.database.write() as tx:
        book_past_calls(tx, account.id, past, usage=store.usage, ledger=store.ledger)


def _history() -> "list[_Call]":
    """Calls of `_DAYS` days, the oldest first. They are the same in every demo."""
    from store.values.billing import ModelPrice
    from store.values.usage import Kind, UsageEntry

    draw = random.Random(4)  # noqa: S311 - a made-up history
    calls = []
    for day in range(_DAYS, 0, -1):
        for call in range(_CALLS_A_DAY):
            ago = timedelta(days=day - 1, hours=_CALLS_A_DAY - call, minutes=draw.randrange(60))
            model, price_in, price_out = draw.choice(_MODELS)
            tokens_in, tokens_out = draw.randrange(200, 9000), draw.randrange(50, 3000)
            price = ModelPrice(model, price_in, price_out)
            entry = UsageEntry(
                kind=Kind.CONSUMPTION,
                model=model,
                api_key_name=draw.choice(_KEYS),
                request_id=f"req_{draw.randrange(16**8):08x}",
                prompt_tokens=tokens_in,
                completion_tokens=tokens_out,
                cost_micro_usd=price.cost(tokens_in, tokens_out),
                duration_ms=draw.randrange(300, 9000),
                price=price,
            )
            calls.append(_Call(ago, entry))
    image = ModelPrice("image-1", 0, 0, per_request=40_000)
    others = (
        UsageEntry(
            Kind.DRAWING,
            image.model,
            images=2,
            image_size="1024x1024",
            cost_micro_usd=2 * image.per_request,
            price=image,
        ),
        UsageEntry(
            Kind.TASK, "batch", request_id="batch_5c02e9d1", status="in_progress", task_done=120, task_total=400
        ),
        UsageEntry(Kind.ERROR, "gpt-5-mini", status="upstream 503", detail="The model server could not be reached."),
    )
    for entry in others:
        request_id = entry.request_id or f"req_{draw.randrange(16**8):08x}"
        whole = entry._replace(api_key_name=_KEYS[0], duration_ms=2100, request_id=request_id)
        calls.append(_Call(timedelta(hours=5), whole))
    return sorted(calls, key=lambda call: call.ago, reverse=True)
