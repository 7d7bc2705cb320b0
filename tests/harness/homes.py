"""Where an account can live, for tests whose promise holds in each place: a store here, and servers of both builds."""

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from enum import StrEnum
from typing import Any, ClassVar

from remote.sidebar import PLACES
from store.errors import WrongCredentials
from store.sections import PrivacySettings
from store.store import Store
from store.values.bindings import ProviderKind
from store.values.sections import SectionT
from store.values.sign_in import SignedIn
from store.values.usage import Kind, UsageEntry
from tests.harness import consoles, stores
from tests.harness.consoles import SIZE, Stage
from tests.harness.remote_consoles import remote_console, signed_in_account
from tests.harness.stores import sign_in, store_with_account
from tests.new_api import running
from tests.new_api.generations import Generation
from tests.new_api.running import StandIn, in_memory
from tui.account import AccountService
from tui.local_account import LocalAccount
from tui.store_location import Options


class Place(StrEnum):
    """The kinds of home."""

    HERE = "here"
    FEB = "feb"
    AUG = "aug"


class Home(ABC):
    """The home of alice, who has five dollars, an address, and is warned below one dollar."""

    password: ClassVar[str]
    new_password: ClassVar[str]
    """A password that she may change to."""

    @abstractmethod
    def console(
        self, *, size: tuple[int, int] = SIZE, press: str = "", keys: dict[str, str] | None = None
    ) -> AbstractAsyncContextManager[Stage]:
        """Her console, signed in; `press` is the first key."""

    @abstractmethod
    def another_session(self, password: str = "") -> AbstractAsyncContextManager[AccountService]:
        """Her account in another console, which stays signed in. Raises `WrongCredentials` for a wrong password."""

    @abstractmethod
    def has_access_token(self) -> bool: ...

    @abstractmethod
    def has_two_factor(self) -> bool: ...

    @abstractmethod
    def is_gone(self) -> bool:
        """True if the account was deleted."""

    @abstractmethod
    def end_sessions(self) -> None:
        """End all sessions of the account, as somebody else can."""

    @abstractmethod
    def hide_module(self, module: str) -> None:
        """Hide a module from everybody, as an administrator can."""

    @abstractmethod
    def add_provider(self, slug: str, name: str, *, identity: str = "") -> None:
        """Add an identity provider, at which alice is `identity`."""

    @abstractmethod
    def record_call(self, ip: str) -> None:
        """Add an entry to the usage log, with the address it came from."""

    async def stored(self, kind: type[SectionT]) -> SectionT:
        """A section as another console reads it."""
        async with self.another_session() as account:
            return (await account.load(kind)).section

    async def save_elsewhere(self, kind: type[SectionT], **changes: Any) -> None:
        """Save a section in another console."""
        async with self.another_session() as account:
            saved = await account.load(kind)
            await account.save(replace(saved.section, **changes), saved.version)

    async def takes(self, password: str) -> bool:
        """True if that password opens a session."""
        try:
            async with self.another_session(password):
                return True
        except WrongCredentials:
            return False


class StoreHome(Home):
    """A store in memory."""

    password = stores.PASSWORD
    new_password = "quiet harbour lantern sky"

    def __init__(self, store: Store) -> None:
        self._store = store

    def console(
        self, *, size: tuple[int, int] = SIZE, press: str = "", keys: dict[str, str] | None = None
    ) -> AbstractAsyncContextManager[Stage]:
        return consoles.console(self._store, size=size, press=press, keys=keys)

    @asynccontextmanager
    async def another_session(self, password: str = "") -> AsyncIterator[AccountService]:
        # It is not closed, as that would close the store.
        account = LocalAccount(Options(), opened=self._store)
        assert await account.sign_in("alice", password or self.password) is None
        yield account

    def has_access_token(self) -> bool:
        return self._store.access_token.status(sign_in(self._store)) is not None

    def has_two_factor(self) -> bool:
        return not isinstance(self._store.sign_in.with_password("alice", self.password, source="other"), SignedIn)

    def is_gone(self) -> bool:
        return self._store.accounts.is_empty()

    def end_sessions(self) -> None:
        self._store.passwords.reset("alice", self.new_password, actor="test")

    def hide_module(self, module: str) -> None:
        self._store.site.set("sidebar.hidden_modules", module)

    def add_provider(self, slug: str, name: str, *, identity: str = "") -> None:
        store = self._store
        store.site.set("account_binding.enabled", "true")
        issuer = f"https://{slug}.example"
        store.bindings.add_provider(
            slug, name, ProviderKind.OIDC, issuer=issuer, client_id="console", client_secret=None
        )
        if identity:
            store.bindings.bind(sign_in(store), slug, "583231", identity)

    def record_call(self, ip: str) -> None:
        token = sign_in(self._store)
        saved = self._store.settings.load(token, PrivacySettings)
        if not saved.section.record_client_ip:
            self._store.settings.save(token, PrivacySettings(True), saved.version)
        account = self._store.accounts.find("alice")
        self._store.usage.record(account.id, UsageEntry(Kind.CONSUMPTION, "m", client_ip=ip))


class ServerHome(Home):
    """A New API server, which a stand-in plays in memory."""

    password = running.PASSWORD
    new_password = "quiet-harbour-sky"

    def __init__(self, standin: StandIn) -> None:
        self._standin = standin
        alice = standin.alice
        alice.email = "alice@example.com"
        alice.store(alice.stored() | {"notify_type": "email", "quota_warning_threshold": 500_000})

    def console(
        self, *, size: tuple[int, int] = SIZE, press: str = "", keys: dict[str, str] | None = None
    ) -> AbstractAsyncContextManager[Stage]:
        return remote_console(self._standin, size=size, press=press, keys=keys)

    @asynccontextmanager
    async def another_session(self, password: str = "") -> AsyncIterator[AccountService]:
        async with signed_in_account(self._standin, password=password or self.password) as account:
            yield account

    def has_access_token(self) -> bool:
        return bool(self._standin.alice.access_token)

    def has_two_factor(self) -> bool:
        return self._standin.alice.two_factor.is_enabled

    def is_gone(self) -> bool:
        return self._standin.alice.is_deleted

    def end_sessions(self) -> None:
        world = self._standin.world
        world.cookies.clear()
        for session in world.sessions.values():
            session.is_ended = True

    def hide_module(self, module: str) -> None:
        section, name = PLACES[module]
        self._standin.world.status["SidebarModulesAdmin"] = json.dumps({section: {"enabled": True, name: False}})

    def add_provider(self, slug: str, name: str, *, identity: str = "") -> None:
        providers = self._standin.world.providers
        number = len(providers) + 1
        address = f"https://{slug}.example/authorize"
        providers.append(
            {
                "id": number,
                "name": name,
                "slug": slug,
                "enabled": True,
                "client_id": "cid",
                "authorization_endpoint": address,
                "scopes": "openid",
                "icon": "",
            }
        )
        if identity:
            self._standin.alice.bindings[number] = identity

    def record_call(self, ip: str) -> None:
        self._standin.world.log(self._standin.alice, 2, "", model_name="m", ip=ip)


@contextmanager
def home_at(place: Place) -> Iterator[Home]:
    """A home of that kind."""
    if place is Place.HERE:
        with store_with_account() as store:
            yield StoreHome(store)
    else:
        with in_memory(Generation(place.value)) as standin:
            yield ServerHome(standin)
