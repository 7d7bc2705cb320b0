"""A model of an account in plain Python: the state machine compares the store with it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from store.errors import (
    AlreadyEnabled,
    FreshProofRequired,
    GatekeyError,
    SessionEnded,
    SessionLocked,
    TooManyAttempts,
)
from store.totp import step_at
from store.values.two_factor import Enrolment
from tests.harness.stores import StillClock

IDLE = timedelta(hours=1)
PROOF = timedelta(minutes=5)
TICKET = timedelta(minutes=5)
SETUP = timedelta(minutes=10)
WARNING_PAUSE = timedelta(minutes=10)

Refusal = type[GatekeyError] | None
"""The error of a refused act, or None where it is done."""


@dataclass(eq=False)
class Session:
    token: str
    epoch: int
    last_active_at: datetime
    proof_at: datetime | None
    is_locked: bool = False
    is_ended: bool = False


@dataclass(eq=False)
class Ticket:
    text: str
    epoch: int
    expires_at: datetime
    is_used: bool = False


@dataclass
class Guesses:
    """The failures of one factor."""

    failures: int = 0
    locked_until: datetime | None = None
    updated_at: datetime | None = None


@dataclass
class Factor:
    """A second factor that is on: its secret, the step last used, and its codes, used or not."""

    secret: str
    last_step: int
    used: dict[str, bool]


@dataclass
class Setup:
    enrolment: Enrolment
    expires_at: datetime
    is_saved: bool = False


@dataclass
class Money:
    clock: StillClock
    remaining: int
    held: int = 0
    used: int = 0
    threshold: int = 1_000_000
    is_armed: bool = True
    warnings: int = 0
    warned_at: datetime | None = None

    def take(self, cost: int, held: int = 0) -> int:
        taken = min(cost, self.remaining)
        self.remaining -= taken
        self.used += taken
        self.held -= held
        self._warn_if_crossed()
        return taken

    def adjust(self, amount: int) -> None:
        self.remaining += amount
        if amount > 0:
            self.is_armed = True
        else:
            self._warn_if_crossed()

    def _warn_if_crossed(self) -> None:
        is_soon = self.warned_at is not None and self.clock.now() - self.warned_at < WARNING_PAUSE
        if self.is_armed and self.remaining < self.threshold and not is_soon:
            self.is_armed, self.warned_at = False, self.clock.now()
            self.warnings += 1


@dataclass
class Account:
    clock: StillClock
    password: str | None
    money: Money
    epoch: int = 1
    is_deleted: bool = False
    guesses: dict[str, Guesses] = field(default_factory=lambda: {"password": Guesses(), "second": Guesses()})
    factor: Factor | None = None
    setup: Setup | None = None
    access_token: str | None = None
    passkeys: dict[int, str] = field(default_factory=dict)
    """Labels by id."""
    is_bound: bool = False
    passkeys_allowed: bool = True
    bindings_allowed: bool = True
    versions: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("notifications", "price", "privacy"), 1))
    accepts_unpriced: bool = False
    records_ip: bool = False
    addresses_kept: int = 0
    tickets: list[Ticket] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    # -- sessions ------------------------------------------------------------------------------------------------

    def is_alive(self, session: Session) -> bool:
        return not (
            self.is_deleted
            or session.is_ended
            or session.epoch != self.epoch
            or self.now - session.last_active_at >= IDLE
        )

    def refusal(self, session: Session, *, proof: bool = False) -> Refusal:
        """The error of a session's call before its own rule is asked."""
        if not self.is_alive(session):
            return SessionEnded
        if session.is_locked:
            return SessionLocked
        if proof and (session.proof_at is None or self.now - session.proof_at >= PROOF):
            return FreshProofRequired
        return None

    def open_session(self, token: str) -> Session:
        return Session(token, self.epoch, self.now, self.now)

    def open_ticket(self, text: str) -> None:
        self.tickets.append(Ticket(text, self.epoch, self.now + TICKET))

    def is_open(self, ticket: Ticket) -> bool:
        return not (self.is_deleted or ticket.is_used or ticket.epoch != self.epoch or ticket.expires_at <= self.now)

    def change_credentials(self, keep: Session) -> None:
        """Every other session and every sign-in under way ends."""
        self.epoch += 1
        keep.epoch = self.epoch

    def note_proof(self, session: Session) -> None:
        session.proof_at = session.last_active_at = self.now
        session.is_locked = False

    # -- guesses -------------------------------------------------------------------------------------------------

    def guess(self, factor: str) -> Refusal:
        """Reserve one guess."""
        for name, known in self.guesses.items():
            if known.updated_at is not None and known.failures < 5 and known.updated_at < self.now - timedelta(days=1):
                self.guesses[name] = Guesses()
        guesses = self.guesses[factor]
        if guesses.locked_until is not None and guesses.locked_until > self.now:
            return TooManyAttempts
        guesses.failures += 1
        guesses.updated_at = self.now
        guesses.locked_until = None
        if guesses.failures >= 5:
            guesses.locked_until = self.now + timedelta(seconds=min(60 * 2 ** (guesses.failures - 5), 900))
        return None

    def right(self, factor: str) -> None:
        self.guesses[factor] = Guesses()

    # -- the second factor ---------------------------------------------------------------------------------------

    def pending(self) -> Setup | None:
        """The enrolment under way, unless it ran out."""
        return self.setup if self.setup is not None and self.setup.expires_at > self.now else None

    def enabled_refusal(self) -> Refusal:
        return AlreadyEnabled if self.factor is not None else None

    def unused(self) -> list[str]:
        return [] if self.factor is None else [code for code, is_used in self.factor.used.items() if not is_used]

    def step(self) -> int:
        return step_at(self.now)

    # -- ways in -------------------------------------------------------------------------------------------------

    def ways_in(self) -> int:
        count = int(self.password is not None)
        count += len(self.passkeys) if self.passkeys_allowed else 0
        return count + int(self.is_bound and self.bindings_allowed)
