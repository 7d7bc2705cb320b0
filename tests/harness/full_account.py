"""An account that holds something of everything there is, with strings to be looked for afterwards."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from store.accounts import Role
from store.at_rest import KeyRing
from store.errors import ModelNotPriced, WrongCredentials
from store.secret_fields import StoredSecret
from store.sections import Channel, NotificationSettings, PriceSettings, PrivacySettings, SidebarSettings
from store.store import Store
from store.values.api_keys import ApiKeyLimits
from store.values.billing import ModelPrice
from store.values.usage import Kind, UsageEntry
from tests.harness.people import (
    Person,
    allow_bindings,
    allow_passkeys,
    code_at,
    configure_mail,
    credential,
    session_of,
)
from tests.harness.quota_calls import book_call, hold_quota
from tests.harness.ssh_keys import public_key
from tests.harness.stores import StillClock, make_store

PASSWORD: Final = "{}'s own horse battery staple"


@dataclass(frozen=True)
class Planted:
    """Somebody's session, and every secret that was handed out or typed."""

    person: Person
    secrets: tuple[str, ...]


def prepare_site(store: Store) -> None:
    """Let everything happen that an account can have."""
    allow_passkeys(store)
    allow_bindings(store)
    configure_mail(store)
    store.site.set("upstream.api_key", "sk-planted-upstream-key")


def live(store: Store, clock: StillClock, name: str, *, role: Role = Role.USER, number: int = 1) -> Planted:
    """Somebody called `name` who used everything once; they are signed in and have just proved who they are."""
    password = PASSWORD.format(name)
    info = store.accounts.create(
        name, password, email=f"{name}@mail.example", role=role, quota_micro_usd=5_000_000, actor="setup"
    )
    token = session_of(store.sign_in.with_password(name, password, source=f"ssh {name}-laptop"))
    person = Person(info.id, name, token)
    store.bindings.bind(token, "github", f"{name}-subject", f"{name}-display")
    store.passkeys.add(token, f"{name}-passkey", credential(number))
    key = store.ssh_keys.add(token, public_key(number), f"{name}-ssh-key")
    store.sign_in.with_ssh_key(key.fingerprint, name, source=f"ssh {name}-desk")
    store.drawer.put(token, f"{name}-codes.txt", f"{name}-drawer-content")
    started = store.ceremonies.begin_proof(token)
    access_token = store.access_token.generate(token)
    store.access_token.authenticate(access_token.token)
    api_key = store.api_keys.create(
        token,
        f"{name}-key",
        ApiKeyLimits(spend_limit_micro_usd=1_000_000, allowed_models=("a-model",), allowed_networks=("192.0.2.0/24",)),
    )
    secrets = (
        f"whsec_{name}AAAA".ljust(46, "B"),
        f"https://api.day.app/{name}DeviceKey",
        f"{name}-gotify-token",
        f"{name}-bark-encryption-key".ljust(32, "k"),
    )
    store.settings.save(
        token,
        NotificationSettings(
            threshold_micro_usd=4_900_000,
            email_address=f"{name}.warnings@mail.example",
            webhook_on=True,
            webhook_url=f"https://hooks.example/{name}-hook",
            webhook_secret=StoredSecret(new=secrets[0]),
            bark_on=True,
            bark_url=StoredSecret(new=secrets[1]),
            bark_encryption_key=StoredSecret(new=secrets[3]),
            gotify_on=True,
            gotify_url=f"https://gotify.example/{name}",
            gotify_token=StoredSecret(new=secrets[2]),
        ),
        1,
    )
    store.settings.save(token, PriceSettings(), 1)
    store.settings.save(token, PrivacySettings(record_client_ip=True), 1)
    store.settings.save(token, SidebarSettings(frozenset({"wallet"})), 1)
    use(store, person, api_key.info.id, number)
    store.outbox.enqueue_test(token, Channel.WEBHOOK)
    store.outbox.enqueue_test(token, Channel.EMAIL)
    enrolment = store.two_factor.begin(token)
    store.two_factor.confirm_saved(token, enrolment.codes[0])
    store.two_factor.complete(token, code_at(enrolment.secret, clock))
    clock.advance(seconds=30)
    pending = store.sign_in.with_password(name, password, source=f"ssh {name}-phone")
    ticket = getattr(pending, "ticket", "")
    handed_out = (
        password,
        token,
        ticket,
        started.ticket,
        started.code.replace("-", ""),
        access_token.token,
        api_key.key,
        enrolment.secret,
        *enrolment.codes,
        *(code.replace("-", "") for code in enrolment.codes),
        *secrets,
        f"{name}-drawer-content",
        "sk-planted-upstream-key",
        "planted-client",
    )
    return Planted(person, handed_out)


def use(store: Store, person: Person, key_id: int, number: int) -> None:
    """Calls of every kind, a model without a price, a warning, a reservation under way, and a failed sign-in."""
    for kind in Kind:
        store.usage.record(
            person.id,
            UsageEntry(
                kind,
                f"{person.name}-model",
                api_key_name=f"{person.name}-key",
                request_id=f"{person.name}-request",
                detail=f"{person.name}-detail",
                client_ip=f"203.0.113.{number}",
            ),
        )
    with store.database.write() as tx:
        store.relay_files.register(
            tx, person.id, f"file-{person.name}", filename=f"{person.name}.jsonl", purpose="batch"
        )
        store.stored_responses.register(tx, person.id, f"resp_{person.name}", 7)
    book_call(store, hold_quota(store, person.id, 1, api_key_id=key_id), 200_000, UsageEntry(Kind.TASK, "m"))
    hold_quota(store, person.id, 7, api_key_id=key_id)
    with suppress(ModelNotPriced):
        store.pricing.admit(person.id, f"{person.name}-unpriced")
    with suppress(WrongCredentials):
        store.sign_in.with_password(person.name, "wrong", source=f"ssh {person.name}-cafe")


def filled(
    url: str = "sqlite://", *, clock: StillClock | None = None, ring: KeyRing | None = None
) -> tuple[Store, StillClock]:
    """A store on which everything a person can open is switched on."""
    clock = clock or StillClock()
    store = make_store(url, clock=clock, ring=ring)
    prepare_site(store)
    allow_bindings(store, "gitlab")
    store.site.set("passkeys.origin", "http://localhost:8787")
    store.pricing.set(ModelPrice("a-model", 1, 2))
    return store, clock
