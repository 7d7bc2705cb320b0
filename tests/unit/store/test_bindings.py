"""Identities of other providers: bound by provider and subject alone, and never the last way in."""

import pytest

from store.errors import (
    AlreadyBound,
    BindingsDisabled,
    GatekeyError,
    IdentityRefused,
    InvalidLabel,
    InvalidSetting,
    InvalidUrl,
    LastCredential,
    NoSuchItem,
    SessionEnded,
)
from store.store import Store
from store.values.bindings import ProviderInfo, ProviderKind
from tests.harness.fixtures import in_memory
from tests.harness.people import (
    Person,
    allow_bindings,
    allow_passkeys,
    assert_each_refused,
    configure_mail,
    contents,
    credential,
    queued,
    session_of,
    tags,
)
from tests.harness.stores import SOURCE, StillClock, add_account, sign_in

HOSTILE = ["", "x" * 256, "nul\x00", "\ud800", "bidi\u202e", "two\nlines"]


def binding_of(store: Store, person: Person, slug: str = "github") -> int:
    found = next(one.binding_id for one in store.bindings.list(person.token) if one.provider.slug == slug)
    assert found is not None
    return found


# -- providers --------------------------------------------------------------------------------------------------


def test_a_provider_is_kept_and_its_secret_only_for_the_gateway(store: Store) -> None:
    store.site.set("account_binding.enabled", "true")
    made = store.bindings.add_provider(
        "corp",
        " Corporate ",
        ProviderKind.OIDC,
        issuer="https://login.example.com/",
        client_id="client",
        client_secret="planted-secret",
    )
    assert made == ProviderInfo(made.id, "corp", "Corporate", ProviderKind.OIDC, "https://login.example.com", "client")
    assert store.bindings.providers() == [made]
    known = store.bindings.provider("corp")
    assert known.client_secret == "planted-secret"
    assert "planted" not in repr(known)
    assert "planted" not in repr(contents(store))


def test_a_public_client_has_no_secret(store: Store) -> None:
    store.site.set("account_binding.enabled", "true")
    store.bindings.add_provider("hub", "Hub", ProviderKind.GITHUB, issuer="", client_id="c", client_secret=None)
    assert store.bindings.provider("hub").client_secret is None


def test_providers_of_one_name_come_by_their_short_names(store: Store) -> None:
    for slug in ("c", "a", "b"):
        store.bindings.add_provider(slug, "Hub", ProviderKind.GITHUB, issuer="", client_id="c", client_secret=None)
    assert [provider.slug for provider in store.bindings.providers()] == ["a", "b", "c"]


def test_providers_come_by_name(store: Store) -> None:
    for slug in ("zeta", "alpha"):
        allow_bindings(store, slug)
    assert [provider.name for provider in store.bindings.providers()] == ["Alpha", "Zeta"]


@in_memory
@pytest.mark.parametrize(
    ("changed", "error", "at"),
    [
        ({"slug": ""}, InvalidSetting, "slug"),
        ({"slug": "Upper"}, InvalidSetting, "slug"),
        ({"slug": "-dash"}, InvalidSetting, "slug"),
        ({"slug": "x" * 33}, InvalidSetting, "slug"),
        ({"slug": "a/b"}, InvalidSetting, "slug"),
        ({"name": ""}, InvalidLabel, "name"),
        ({"name": "[@click=quit]\x07"}, InvalidLabel, "name"),
        ({"issuer": "login.example.com"}, InvalidUrl, "issuer"),
        ({"issuer": "ftp://login.example.com"}, InvalidUrl, "issuer"),
        ({"client_id": ""}, InvalidSetting, "client-id"),
        ({"client_id": "with space"}, InvalidSetting, "client-id"),
        ({"client_id": "x" * 256}, InvalidSetting, "client-id"),
        ({"client_secret": "with space"}, InvalidSetting, "client-secret"),
        ({"client_secret": "\ud800"}, InvalidSetting, "client-secret"),
    ],
    ids=ascii,
)
def test_bad_input_adds_no_provider(store: Store, changed: dict[str, str], error: type[GatekeyError], at: str) -> None:
    before = contents(store)
    arguments = {
        "slug": "corp",
        "name": "Corporate",
        "kind": ProviderKind.OIDC,
        "issuer": "https://login.example.com",
        "client_id": "client",
        "client_secret": "secret",
    } | changed
    with pytest.raises(error) as caught:
        store.bindings.add_provider(**arguments)  # type: ignore[arg-type]  # the cases say which argument is at fault
    assert caught.value.field == at
    assert contents(store) == before


def test_a_slug_is_taken_once(store: Store) -> None:
    allow_bindings(store, "taken")
    before = contents(store)
    with pytest.raises(InvalidLabel) as caught:
        store.bindings.add_provider(
            "taken", "Corporate", ProviderKind.OIDC, issuer="https://x.example", client_id="client", client_secret="s"
        )
    assert caught.value.field == "slug"
    assert contents(store) == before


def test_a_removed_provider_takes_its_bindings_along(store: Store, alice: Person) -> None:
    allow_bindings(store)
    store.bindings.bind(alice.token, "github", "4711", "alice")
    store.bindings.remove_provider("github")
    assert contents(store)["bindings"] == []
    for slug in ("github", "\x1b[31m"):
        with pytest.raises(NoSuchItem) as caught:
            store.bindings.remove_provider(slug)
        assert "\x1b" not in str(caught.value)
    with pytest.raises(NoSuchItem):
        store.bindings.provider("github")
    with pytest.raises(NoSuchItem, match="provider was removed"):
        store.bindings.bind(alice.token, "github", "4711", "alice")


# -- binding ----------------------------------------------------------------------------------------------------


def test_a_bound_identity_signs_in(store: Store, alice: Person, clock: StillClock) -> None:
    allow_bindings(store)
    configure_mail(store)
    other = sign_in(store)
    store.bindings.bind(alice.token, "github", "4711", "octo\u202ecat")
    (listed,) = store.bindings.list(alice.token)
    assert (listed.display, listed.bound_at, listed.last_used_at) == ("octo\ufffdcat", clock.now(), None)
    assert listed.provider.client_secret is None
    with pytest.raises(SessionEnded):
        store.sessions.whoami(other)
    clock.advance(seconds=10)
    token = session_of(store.bindings.sign_in("github", "4711", source=SOURCE))
    assert store.sessions.whoami(token).name == "alice"
    assert store.bindings.list(token)[0].last_used_at == clock.now()
    assert store.sessions.list(token)[0].method == "github"
    assert tags(store, alice.id)[-2:] == ["identity:bound", "sign-in:succeeded"]
    assert [job.kind for job in queued(store)] == ["identity:bound"]


def test_an_identity_belongs_to_one_account(store: Store, alice: Person, bob: Person) -> None:
    allow_bindings(store)
    store.bindings.bind(alice.token, "github", "4711", "alice")
    before = contents(store)
    for person, subject in ((bob, "4711"), (alice, "4712"), (alice, "4711")):
        with pytest.raises(AlreadyBound, match=r"^This identity cannot be bound to this account\.$"):
            store.bindings.bind(person.token, "github", subject, "x")
    assert contents(store) == before


def test_the_same_subject_elsewhere_is_someone_else(store: Store, alice: Person, bob: Person) -> None:
    allow_bindings(store)
    allow_bindings(store, "gitlab")
    store.bindings.bind(alice.token, "github", "4711", "alice")
    store.bindings.bind(bob.token, "gitlab", "4711", "bob")
    token = session_of(store.bindings.sign_in("gitlab", "4711", source=SOURCE))
    assert store.sessions.whoami(token).name == "bob"


@pytest.mark.parametrize("subject", ["alice@example.com", "alice", "4711 ", "4712"])
def test_no_address_and_no_name_links(store: Store, alice: Person, subject: str) -> None:
    allow_bindings(store)
    store.bindings.bind(alice.token, "github", "4711", "alice")
    with pytest.raises(IdentityRefused, match="No account is bound"):
        store.bindings.sign_in("github", subject, source=SOURCE)
    with pytest.raises(IdentityRefused):
        store.bindings.sign_in("unknown", "4711", source=SOURCE)


@in_memory
@pytest.mark.parametrize("subject", HOSTILE, ids=lambda text: ascii(text[:9]))
def test_a_hostile_subject_is_refused(store: Store, alice: Person, subject: str) -> None:
    allow_bindings(store)
    with pytest.raises(IdentityRefused):
        store.bindings.bind(alice.token, "github", subject, "alice")
    with pytest.raises(IdentityRefused):
        store.bindings.sign_in("github", subject, source=SOURCE)


def test_an_identity_can_be_unbound(store: Store, alice: Person, bob: Person) -> None:
    allow_bindings(store)
    configure_mail(store)
    store.bindings.bind(alice.token, "github", "4711", "alice")
    other = sign_in(store)
    binding_id = binding_of(store, alice)
    with pytest.raises(NoSuchItem):
        store.bindings.unbind(bob.token, binding_id)
    store.bindings.unbind(alice.token, binding_id)
    with pytest.raises(SessionEnded):
        store.sessions.whoami(other)
    with pytest.raises(NoSuchItem, match="unbound before"):
        store.bindings.unbind(alice.token, binding_id)
    with pytest.raises(IdentityRefused):
        store.bindings.sign_in("github", "4711", source=SOURCE)
    assert [(one.binding_id, one.display) for one in store.bindings.list(alice.token)] == [(None, "")]
    assert tags(store, alice.id)[-1] == "identity:unbound"
    assert [job.kind for job in queued(store)] == ["identity:bound", "identity:unbound"]


def test_switched_off_every_door_is_shut(store: Store, alice: Person) -> None:
    allow_bindings(store)
    store.bindings.bind(alice.token, "github", "4711", "alice")
    store.site.unset("account_binding.enabled")
    assert not store.bindings.is_enabled()
    assert_each_refused(
        BindingsDisabled,
        lambda: store.bindings.provider("github"),
        lambda: store.bindings.bind(alice.token, "github", "4712", "alice"),
        lambda: store.bindings.sign_in("github", "4711", source=SOURCE),
        match=r"^Account bindings are disabled by the administrator\.$",
    )
    store.bindings.unbind(alice.token, binding_of(store, alice))


# -- the last way in --------------------------------------------------------------------------------------------


def bare_account(store: Store) -> Person:
    """Someone without a password, with two bound identities and a passkey."""
    allow_passkeys(store)
    allow_bindings(store)
    allow_bindings(store, "gitlab")
    info = add_account(store)
    person = Person(info.id, "alice", sign_in(store))
    store.passkeys.add(person.token, "key", credential())
    for slug in ("github", "gitlab"):
        store.bindings.bind(person.token, slug, "4711", "alice")
    with store.database.write() as tx:
        tx.exec_driver_sql("UPDATE accounts SET password_hash = NULL")
    return person


def test_the_last_way_in_stays(store: Store) -> None:
    person = bare_account(store)
    store.passkeys.remove(person.token, store.passkeys.list(person.token)[0].id)
    store.bindings.unbind(person.token, binding_of(store, person, "github"))
    last = binding_of(store, person, "gitlab")
    before = contents(store)
    with pytest.raises(LastCredential):
        store.bindings.unbind(person.token, last)
    assert contents(store) == before


def test_a_way_in_that_is_switched_off_does_not_count(store: Store) -> None:
    person = bare_account(store)
    store.site.set("account_binding.enabled", "false")
    with pytest.raises(LastCredential):
        store.passkeys.remove(person.token, store.passkeys.list(person.token)[0].id)
    store.site.set("account_binding.enabled", "true")
    store.site.set("passkeys.enabled", "false")
    store.bindings.unbind(person.token, binding_of(store, person, "github"))
    with pytest.raises(LastCredential):
        store.bindings.unbind(person.token, binding_of(store, person, "gitlab"))
    store.site.set("passkeys.enabled", "true")
    store.bindings.unbind(person.token, binding_of(store, person, "gitlab"))
