"""Everything one stand-in knows: accounts, options, sessions, codes, and the clock and chance it was given."""

import random
import secrets
import string
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from store.clock import Clock
from tests.new_api.accounts import ROOT, USER, Account, default_sidebar
from tests.new_api.generations import Generation

LETTERS: Final = string.ascii_letters + string.digits
ROOT_QUOTA: Final = 100_000_000


@dataclass
class LoginSession:
    """A session of AUG. It lives in the database: a change of credentials ends or renews it."""

    sid: str
    account_id: int
    method: str
    created_at: int
    user_agent: str
    last_active_at: int = 0
    expires_at: int = 0
    secret: str = ""
    former_secret: str = ""
    rotated_at: int = 0
    version: int = 0
    is_ended: bool = False


@dataclass
class Flow:
    """A step of AUG that goes on with its flow token: one use, a short life."""

    kind: str
    expires_at: int
    account_id: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass
class World:
    """The state of one stand-in. A test may look at it and change it between two requests."""

    generation: Generation
    clock: Clock
    rng: random.Random
    accounts: dict[int, Account] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The content of each cookie of FEB. The server keeps none of it: an old cookie stays good."""
    sessions: dict[str, LoginSession] = field(default_factory=dict)
    bearers: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    """Session, version and expiry of each access token of a session (AUG)."""
    proofs: dict[str, dict[str, Any]] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    providers: list[dict[str, Any]] = field(default_factory=list)
    subjects: dict[str, str] = field(default_factory=lambda: {"good": "prov-1"})
    """The identities behind authorization codes, at the administrator's own providers."""
    mail: list[tuple[str, str, str]] = field(default_factory=list)
    """Mails sent: recipient, what for, and the code or link token in them."""
    mail_codes: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    keys: list[dict[str, Any]] = field(default_factory=list)
    logs: list[dict[str, Any]] = field(default_factory=list)
    redemptions: dict[str, int] = field(default_factory=dict)
    topups: list[dict[str, Any]] = field(default_factory=list)
    drawings: list[dict[str, Any]] = field(default_factory=list)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    usage_by_hour: list[dict[str, Any]] = field(default_factory=list)
    channels: list[dict[str, Any]] = field(default_factory=list)
    calls_by_bucket: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    status: dict[str, Any] = field(default_factory=dict)
    """The members of GET /api/status that differ from a fresh installation."""
    has_limits: bool = False
    """True: the limits of a default installation are on."""
    start_time: int = 0

    def __post_init__(self) -> None:
        self.start_time = self.now()

    def now(self) -> int:
        """Unix time in whole seconds, as the server counts."""
        return int(self.clock.now().timestamp())

    @property
    def is_feb(self) -> bool:
        return self.generation is Generation.FEB

    @property
    def is_set_up(self) -> bool:
        return bool(self.accounts)

    def letters(self, count: int, alphabet: str = LETTERS) -> str:
        return "".join(self.rng.choices(alphabet, k=count))

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def set_up(self, name: str, password: str) -> Account:
        """The root account of a fresh installation."""
        root = Account(1, name, password, "Root User", ROOT, quota=ROOT_QUOTA, created_at=self.now())
        self.accounts[root.id] = root
        return root

    def add_account(
        self, name: str, password: str, display_name: str | None = None, role: int = USER, quota: int = 0
    ) -> Account:
        """A new account with what the server gives one."""
        account = Account(max(self.accounts, default=0) + 1, name, password, display_name or name, role)
        account.quota = quota
        account.aff_code = self.letters(4)
        account.created_at = self.now()
        account.store({"sidebar_modules": default_sidebar(role)})
        self.accounts[account.id] = account
        return account

    def account_named(self, name: str) -> Account | None:
        """By user name or e-mail; a deleted account is not found."""
        living = [account for account in self.accounts.values() if not account.is_deleted]
        return next((account for account in living if name in (account.username, account.email) and name), None)

    def name_is_taken(self, name: str) -> bool:
        """A deleted account keeps its name."""
        return any(account.username == name for account in self.accounts.values())

    def account_with_token(self, token: str) -> Account | None:
        for account in self.accounts.values():
            held = account.access_token
            if held and not account.is_deleted and secrets.compare_digest(held, token):
                return account
        return None

    def log(self, account: Account, kind: int, code: str, **facts: Any) -> None:
        """An entry of the usage log. AUG gives every entry the number of its request."""
        numbered = {} if self.is_feb else {"request_id": self.letters(32)}
        entry = {"account": account.id, "type": kind, "code": code, "created_at": self.now()}
        self.logs.append({**entry, **numbered, **facts})

    def forget_memory(self) -> None:
        """Lose what a restart loses: mailed codes and the counters of the limits. The database stays."""
        self.mail_codes.clear()
        self.calls_by_bucket.clear()
        self.start_time = self.now()
