"""Somebody who uses everything: a row in every table, and every secret known, to look for later."""

import base64
import secrets
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select

from store.errors import ModelNotPriced
from store.models import METADATA, Account, TwoFactorSetup
from store.secret_fields import StoredSecret
from store.sections import Channel, NotificationSettings, PrivacySettings
from store.store import Store
from store.two_factor import SETUP_LIFETIME
from store.values.bindings import ProviderKind
from store.values.sign_in import SecondFactorNeeded
from store.values.usage import Kind, UsageEntry
from tests.harness.people import (
    GITHUB,
    allow_passkeys,
    code_at,
    configure_mail,
    credential,
    enrol,
)
from tests.harness.quota_calls import book_call, hold_quota
from tests.harness.ssh_keys import public_key
from tests.harness.stores import PASSWORD, StillClock, add_account, sign_in

CALL: Final = UsageEntry(Kind.CONSUMPTION, "priced-model", prompt_tokens=10, client_ip="203.0.113.77")


@dataclass(frozen=True)
class PopulatedAccount:
    """An account with everything, its session, and what must never be found on a disk, by name."""

    account_id: int
    name: str
    email: str
    token: str
    secrets: dict[str, str] = field(repr=False)


def fresh(words: str) -> str:
    """A secret that stands nowhere else, long enough that no chance could repeat it."""
    return f"{words}-{secrets.token_hex(12)}"


def enable_everything(store: Store) -> dict[str, str]:
    """Switch everything on as an administrator; returns the site's secrets."""
    allow_passkeys(store)
    configure_mail(store)
    planted = {"smtp.password": fresh("smtp"), "upstream.api_key": fresh("upstream"), "client-secret": fresh("client")}
    store.site.set("smtp.password", planted["smtp.password"])
    store.site.set("upstream.api_key", planted["upstream.api_key"])
    store.site.set("account_binding.enabled", "true")
    store.bindings.add_provider(
        GITHUB, "GitHub", ProviderKind.GITHUB, issuer="", client_id="client", client_secret=planted["client-secret"]
    )
    return planted


def populate_account(store: Store, clock: StillClock, name: str = "alice") -> PopulatedAccount:
    """Do everything an account can do, and leave something under way in every table."""
    email = f"{name}@example.com"
    account = add_account(store, name, email=email)
    first = sign_in(store, name, source=f"{name}/0")
    planted = {"first password": PASSWORD, "first session": first, "new password": fresh("a new password")}
    store.passwords.change(first, PASSWORD, planted["new password"], planted["new password"])
    enrolment = enrol(store, clock, first)
    codes = store.two_factor.renew_codes(first)
    planted |= {"totp secret": enrolment.secret, "enrolment address": enrolment.uri}
    planted |= {f"old code {n}": code for n, code in enumerate(enrolment.codes)}
    planted |= {f"code {n}": code for n, code in enumerate(codes)}
    second = sign_in_with_code(store, name, planted, codes[0])
    third = sign_in_with_code(store, name, planted, code_at(enrolment.secret, clock))
    planted |= {"second session": second, "session": third}
    planted["old token"] = store.access_token.generate(third).token
    planted["token"] = store.access_token.generate(third).token
    store.access_token.authenticate(planted["token"])
    planted["api key"] = store.api_keys.create(third, "notebook").key
    planted |= save_channels(store, third)
    store.bindings.bind(third, GITHUB, f"subject of {name}", f"{name} elsewhere")
    store.passkeys.add(third, "key", credential(account.id))
    store.ssh_keys.add(third, public_key(account.id), "laptop")
    use(store, account.id, name, third, planted["api key"])
    planted["drawer"] = fresh("drawer")
    store.drawer.put(third, "token.txt", planted["drawer"])
    planted["proof ticket"] = store.ceremonies.begin_proof(third).ticket
    planted["open ticket"] = ask_for_ticket(store, name, planted["new password"])
    with store.database.write() as tx:
        store.relay_files.register(tx, account.id, f"file-{name}", filename="input.jsonl", purpose="batch")
        store.stored_responses.register(tx, account.id, f"resp_{name}", 7)
        plant_setup(store, tx, account.id)
    return PopulatedAccount(account.id, name, email, third, planted)


def ask_for_ticket(store: Store, name: str, password: str) -> str:
    """The ticket of a sign-in that never goes on."""
    answer = store.sign_in.with_password(name, password, source=f"{name}/1")
    assert isinstance(answer, SecondFactorNeeded)
    return answer.ticket


def sign_in_with_code(store: Store, name: str, planted: dict[str, str], code: str) -> str:
    """A whole sign-in with two factors; its ticket is one more secret."""
    ticket = ask_for_ticket(store, name, planted["new password"])
    planted[f"ticket of {code}"] = ticket
    return store.sign_in.with_code(ticket, code).token


def save_channels(store: Store, token: str) -> dict[str, str]:
    """All four channels on, and the client's address recorded; returns the channels' secrets."""
    planted = {
        "webhook secret": "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "bark url": f"https://bark.example.com/{secrets.token_hex(16)}",
        "gotify token": fresh("gotify"),
    }
    mine = store.settings.load(token, NotificationSettings)
    edited = replace(
        mine.section,
        email_address="warnings@example.com",
        webhook_on=True,
        webhook_url="https://hooks.example.com/in",
        webhook_secret=StoredSecret(new=planted["webhook secret"]),
        bark_on=True,
        bark_url=StoredSecret(new=planted["bark url"]),
        gotify_on=True,
        gotify_url="https://gotify.example.com",
        gotify_token=StoredSecret(new=planted["gotify token"]),
        threshold_micro_usd=5_000_000,
    )
    store.settings.save(token, edited, mine.version)
    store.settings.save(token, PrivacySettings(record_client_ip=True), 1)
    return planted


def use(store: Store, account_id: int, name: str, token: str, key: str) -> None:
    """Calls made, refused and under way, a warning, a test message, an export."""
    holder = store.api_keys.authenticate(key)
    reservation = hold_quota(store, account_id, 100, api_key_id=holder.key_id)
    book_call(store, reservation, 60, CALL)
    hold_quota(store, account_id, 100, api_key_id=holder.key_id)
    try:
        store.pricing.admit(account_id, f"a model of {name}")
    except ModelNotPriced:
        store.usage.record(account_id, CALL._replace(kind=Kind.ERROR, detail="no price"))
    store.outbox.enqueue_test(token, Channel.WEBHOOK)
    store.outbox.enqueue_test(token, Channel.EMAIL)  # to an address that waits for its code
    list(store.exports.document(token))


def plant_setup(store: Store, tx: Connection, account_id: int) -> None:
    """An enrolment under way beside a factor that is on: only an attacker of the rules could have both."""
    sealed = store.context.seal("JBSWY3DPEHPK3PXP", f"two_factor_setups:secret:{account_id}")
    expires_at = store.context.now() + SETUP_LIFETIME
    tx.execute(
        insert(TwoFactorSetup).values(
            account_id=account_id, secret_sealed=sealed, code_hashes=[], expires_at=expires_at
        )
    )


def census(tx: Connection, account_id: int) -> dict[str, int]:
    """Rows about the account, by table."""
    counts = {}
    for table in METADATA.sorted_tables:
        owner: Any = table.c.id if table is Account else table.c.get("account_id")
        if owner is not None:
            counts[table.name] = tx.execute(
                select(func.count()).select_from(table).where(owner == account_id)
            ).scalar_one()
    return counts
