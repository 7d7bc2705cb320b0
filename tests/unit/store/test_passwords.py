"""Passwords: strong enough, every character of them counts, and a change ends every other session."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select, update

from store import passwords, strength
from store.errors import (
    FreshProofRequired,
    GatekeyError,
    NoSuchAccount,
    PasswordRefused,
    PasswordsDoNotMatch,
    PasswordTooLong,
    PasswordTooShort,
    PasswordTooWeak,
    SameAsOldPassword,
    SessionEnded,
    StaleEdit,
    TooManyAttempts,
    WrongCredentials,
    WrongOriginalPassword,
)
from store.hashing import Hasher
from store.models import Account
from store.store import Store, open_store
from store.throttle import Factor
from tests.harness.fixtures import in_memory
from tests.harness.people import Person, configure_mail, contents, queued, session_of, tags
from tests.harness.stores import (
    CHEAP,
    PASSWORD,
    SOURCE,
    StillClock,
    add_account,
    make_ring,
    make_store,
    sign_in,
    sqlite_url,
)

NEW = "wholly different horse battery"

EVERY_BYTE = {
    "9": "kV9#qz!tW",
    "64": "kV9#qz!t" * 8,
    "256": "four words with spaces, " * 10 + "and sixteen more",
    "1024": "kV9#qz!t" * 128,
    "emoji": "🐎🔋📎🐎 correct 🦄🪐🧿🎷",
    "nul": "correct\x00horse battery staple",
    "spaces": "  correct horse battery staple  ",
    "controls": "correct\thorse\nbattery\x1b[0m staple",
    "cyrillic": "правильная лошадь батарея скрепка",
}


@dataclass
class CountingHasher(Hasher):
    """Counts the slow hashes it was asked for."""

    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(CHEAP, CHEAP)

    def hash_password(self, password: str) -> str:
        self.asked.append("hash")
        return super().hash_password(password)

    def check_password(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        self.asked.append("check")
        return super().check_password(password, stored)


def counting_store(clock: StillClock) -> tuple[Store, CountingHasher]:
    hasher = CountingHasher()
    return open_store("sqlite://", make_ring(), clock=clock, hasher=hasher), hasher


# -- what a good one is -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY_BYTE)
def test_every_character_counts(memory_store: Store, name: str) -> None:
    password = EVERY_BYTE[name]
    memory_store.accounts.create("alice", password, actor="test")
    flipped = [password[:-1], password + "x", password[:-1] + chr(ord(password[-1]) ^ 1), "x" + password[1:]]
    for wrong in flipped:
        with pytest.raises((WrongCredentials, TooManyAttempts)):
            memory_store.sign_in.with_password("alice", wrong, source=SOURCE)
    session_of(memory_store.sign_in.with_password("alice", password, source=SOURCE))


def test_two_keyboards_type_the_same_password(memory_store: Store) -> None:
    memory_store.accounts.create("alice", "cafe\u0301 horse battery staple", actor="test")
    session_of(memory_store.sign_in.with_password("alice", "caf\u00e9 horse battery staple", source=SOURCE))


@pytest.mark.parametrize(
    ("password", "error"),
    [
        ("", PasswordTooShort),
        ("kV9#qz!", PasswordTooShort),
        ("x" * 1025, PasswordTooLong),
        ("kV9#qz!t" * 128 + "x", PasswordTooLong),
        ("password", PasswordTooWeak),
        ("12345678", PasswordTooWeak),
        ("aaaaaaaa", PasswordTooWeak),
        ("a" * 1024, PasswordTooWeak),
        ("alice2026", PasswordTooWeak),
        ("gatekey1", PasswordTooWeak),
        ("correct \ud800 horse battery staple", PasswordRefused),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else ascii(value[:12]),
)
def test_a_bad_password_is_refused(password: str, error: type[GatekeyError]) -> None:
    with pytest.raises(error) as caught:
        passwords.check_new(password, ("alice", "alice@example.com"))
    assert type(caught.value) is error
    assert caught.value.field == "new-password"


@pytest.mark.parametrize("count", [300, pytest.param(3000, marks=pytest.mark.long)])
def test_common_passwords_and_the_persons_own_words_are_refused(count: int) -> None:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    listed = [word for word in FREQUENCY_LISTS["passwords"] if len(word) >= passwords.MIN_LENGTH][:count]
    own = [word + end for word in ("alicesmith", "alicesmith@example.com", "gatekey") for end in ("", "1", "!")]
    admitted = [word for word in listed + own if strength.estimate(word, ("alicesmith", own[3])).is_enough]
    print(f"common passwords and own words admitted: {len(admitted)} of {len(listed) + len(own)}")
    assert admitted == []


def test_the_estimate_comes_with_advice() -> None:
    assert strength.estimate("") == strength.Strength(0, "")
    weak = strength.estimate("password")
    assert (weak.score, weak.is_enough) == (0, False)
    assert weak.advice == "This is a top-10 common password."
    strong = strength.estimate(PASSWORD)
    assert strong == strength.Strength(4, "")
    assert strong.is_enough


def test_the_refusal_holds_the_advice_once() -> None:
    with pytest.raises(PasswordTooWeak, match=r"^This password is easy to guess\. This is a top-10 common password\.$"):
        passwords.check_new("password", ())


def test_the_refusal_without_advice_says_what_to_do() -> None:
    with pytest.raises(PasswordTooWeak, match="Add another word or two"):
        passwords.check_new("kV9#qz!t", (), estimator=lambda *_: strength.Strength(2, ""))


# -- changing it ------------------------------------------------------------------------------------------------


def test_a_change_ends_every_other_session(store: Store, alice: Person, clock: StillClock) -> None:
    others = [sign_in(store) for _ in range(3)]
    configure_mail(store)
    clock.advance(minutes=6)
    store.passwords.change(alice.token, PASSWORD, NEW, NEW)
    assert store.sessions.whoami(alice.token).proved_at == clock.now()
    for token in others:
        with pytest.raises(SessionEnded):
            store.sessions.whoami(token)
    with pytest.raises(WrongCredentials):
        store.sign_in.with_password("alice", PASSWORD, source=SOURCE)
    session_of(store.sign_in.with_password("alice", NEW, source=SOURCE))
    assert store.accounts.get(alice.id).password_changed_at == clock.now()
    assert tags(store, alice.id).count("password:changed") == 1
    assert [job.kind for job in queued(store)] == ["password:changed"]


@in_memory
@pytest.mark.parametrize(
    ("typed", "error", "at"),
    [
        (("wrong horse battery staple", NEW, NEW), WrongOriginalPassword, "original-password"),
        (("x" * 1025, NEW, NEW), WrongOriginalPassword, "original-password"),
        (("\ud800", NEW, NEW), WrongOriginalPassword, "original-password"),
        ((PASSWORD, NEW, NEW + "x"), PasswordsDoNotMatch, "confirmation"),
        ((PASSWORD, PASSWORD, PASSWORD), SameAsOldPassword, "new-password"),
        ((PASSWORD, "short", "short"), PasswordTooShort, "new-password"),
        ((PASSWORD, "x" * 1025, "x" * 1025), PasswordTooLong, "new-password"),
        ((PASSWORD, "password", "password"), PasswordTooWeak, "new-password"),
        ((PASSWORD, "alice@example.com", "alice@example.com"), PasswordTooWeak, "new-password"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_refused_change_changes_nothing(
    store: Store, alice: Person, typed: tuple[str, str, str], error: type[GatekeyError], at: str
) -> None:
    before = contents(store)
    with pytest.raises(error) as caught:
        store.passwords.change(alice.token, *typed)
    assert type(caught.value) is error
    assert caught.value.field == at
    # A wrong password is counted, and written into the account's log.
    noted = {"throttles"} | {name for name in before if name.startswith("audit") and error is WrongOriginalPassword}
    assert {name: rows for name, rows in contents(store).items() if name not in noted} == {
        name: rows for name, rows in before.items() if name not in noted
    }


def test_a_wrong_original_counts_as_a_failed_sign_in(store: Store, alice: Person) -> None:
    for _ in range(5):
        with pytest.raises(WrongOriginalPassword):
            store.passwords.change(alice.token, "wrong", NEW, NEW)
    with pytest.raises(TooManyAttempts):
        store.passwords.change(alice.token, PASSWORD, NEW, NEW)
    with pytest.raises(TooManyAttempts):
        store.sign_in.with_password("alice", PASSWORD, source="elsewhere")


def test_a_change_forgets_failures(store: Store, alice: Person) -> None:
    with pytest.raises(WrongOriginalPassword):
        store.passwords.change(alice.token, "wrong", NEW, NEW)
    store.passwords.change(alice.token, PASSWORD, NEW, NEW)
    with store.database.read() as tx:
        assert store.throttles.failures(tx, Factor.PASSWORD, "alice") == 0


def test_what_the_form_can_see_costs_no_try(store: Store, alice: Person) -> None:
    for typed in ((NEW, "x"), ("short", "short"), ("password", "password")):
        with pytest.raises(PasswordRefused):
            store.passwords.change(alice.token, PASSWORD, *typed)
    with store.database.read() as tx:
        assert store.throttles.failures(tx, Factor.PASSWORD, "alice") == 0


def test_a_first_password_needs_a_fresh_proof(store: Store, alice: Person, clock: StillClock) -> None:
    clock.advance(minutes=6)
    fresh = sign_in(store)
    with store.database.write() as tx:
        tx.execute(update(Account).values(password_hash=None, password_changed_at=None))
    with pytest.raises(FreshProofRequired):
        store.passwords.change(alice.token, "", NEW, NEW)
    store.passwords.change(fresh, "", NEW, NEW)
    session_of(store.sign_in.with_password("alice", NEW, source=SOURCE))


def test_two_changes_at_once_keep_one(store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    hash_password = store.context.hasher.hash_password

    def meanwhile(password: str) -> str:
        monkeypatch.undo()
        store.passwords.reset("alice", "theirs is another good one", actor="root")
        return hash_password(password)

    other = sign_in(store)
    monkeypatch.setattr(store.context.hasher, "hash_password", meanwhile)
    with pytest.raises((StaleEdit, SessionEnded)):
        store.passwords.change(other, PASSWORD, NEW, NEW)
    session_of(store.sign_in.with_password("alice", "theirs is another good one", source=SOURCE))


def test_a_change_over_a_changed_password_is_stale(
    store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    hash_password = store.context.hasher.hash_password

    def meanwhile(password: str) -> str:
        monkeypatch.undo()
        store.passwords.change(alice.token, PASSWORD, "theirs is another good one", "theirs is another good one")
        return hash_password(password)

    monkeypatch.setattr(store.context.hasher, "hash_password", meanwhile)
    with pytest.raises(StaleEdit, match="changed somewhere else"):
        store.passwords.change(alice.token, PASSWORD, NEW, NEW)
    session_of(store.sign_in.with_password("alice", "theirs is another good one", source=SOURCE))


# -- the administrator's side -----------------------------------------------------------------------------------


def test_a_reset_ends_every_session(store: Store, alice: Person) -> None:
    configure_mail(store)
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            store.sign_in.with_password("alice", "wrong", source=SOURCE)
    store.passwords.reset("ALICE", NEW, actor="root")
    with pytest.raises(SessionEnded):
        store.sessions.whoami(alice.token)
    session_of(store.sign_in.with_password("alice", NEW, source=SOURCE))
    assert "password:reset" in tags(store, alice.id)
    assert [job.kind for job in queued(store)] == ["password:reset"]


@in_memory
@pytest.mark.parametrize(
    ("name", "new", "error"),
    [
        ("nobody", NEW, NoSuchAccount),
        ("alice", "short", PasswordTooShort),
        ("alice", "alice@example.com", PasswordTooWeak),
    ],
)
def test_a_refused_reset_changes_nothing(
    store: Store, alice: Person, name: str, new: str, error: type[GatekeyError]
) -> None:
    before = contents(store)
    with pytest.raises(error):
        store.passwords.reset(name, new, actor="root")
    assert contents(store) == before


def test_a_reset_of_an_account_deleted_meanwhile(store: Store, alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    hash_password = store.context.hasher.hash_password

    def meanwhile(password: str) -> str:
        monkeypatch.undo()
        store.deletion.delete(alice.token, "alice")
        return hash_password(password)

    monkeypatch.setattr(store.context.hasher, "hash_password", meanwhile)
    with pytest.raises(NoSuchAccount):
        store.passwords.reset("alice", NEW, actor="root")


# -- hashes -----------------------------------------------------------------------------------------------------


def test_too_long_is_refused_before_any_hash(clock: StillClock) -> None:
    store, hasher = counting_store(clock)
    with store:
        add_account(store)
        token = sign_in(store)
        hasher.asked.clear()
        long = "kV9#qz!t" * 128 + "x"
        with pytest.raises(WrongCredentials):
            store.sign_in.with_password("alice", long, source=SOURCE)
        with pytest.raises(WrongOriginalPassword):
            store.sign_in.prove_with_password(token, long)
        with pytest.raises(PasswordTooLong):
            store.passwords.change(token, PASSWORD, long, long)
        with pytest.raises(WrongOriginalPassword):
            store.passwords.change(token, long, NEW, NEW)
        with pytest.raises(PasswordTooLong):
            store.passwords.reset("alice", long, actor="root")
        with pytest.raises(PasswordTooLong):
            store.accounts.create("bob", long, actor="root")
        assert hasher.asked == []


def test_an_unknown_name_costs_as_many_hashes(clock: StillClock) -> None:
    store, hasher = counting_store(clock)
    with store:
        add_account(store)
        store.accounts.create("keyless", None, actor="test")
        asked: dict[str, Callable[[], object]] = {
            "alice": lambda: store.sign_in.with_password("alice", "wrong", source=SOURCE),
            "nobody": lambda: store.sign_in.with_password("nobody", "wrong", source=SOURCE),
            "keyless": lambda: store.sign_in.with_password("keyless", "wrong", source=SOURCE),
        }
        work, said = {}, set()
        for name, attempt in asked.items():
            hasher.asked.clear()
            with pytest.raises(WrongCredentials) as caught:
                attempt()
            work[name] = list(hasher.asked)
            said.add((str(caught.value), caught.value.title, caught.value.field))
    print(f"hashes for a wrong password and for an unknown name: {work['alice']}, {work['nobody']}")
    assert work["alice"] == work["nobody"] == work["keyless"] == ["check"]
    assert len(said) == 1


def test_an_old_hash_is_renewed_on_sign_in(tmp_path_factory: pytest.TempPathFactory, clock: StillClock) -> None:
    url = sqlite_url(tmp_path_factory.mktemp("rehash"))
    with make_store(url, clock=clock) as store:
        add_account(store)
        before = _hash(store)
    costlier = Hasher(type(CHEAP)(CHEAP.memory_kib * 2, CHEAP.passes, CHEAP.lanes), CHEAP)
    with open_store(url, make_ring(), clock=clock, hasher=costlier) as store:
        with pytest.raises(WrongCredentials):
            store.sign_in.with_password("alice", "wrong", source=SOURCE)
        assert _hash(store) == before
        session_of(store.sign_in.with_password("alice", PASSWORD, source=SOURCE))
        renewed = _hash(store)
        session_of(store.sign_in.with_password("alice", PASSWORD, source=SOURCE))
        assert _hash(store) == renewed
    assert (before.split("$")[3], renewed.split("$")[3]) == ("m=64,t=1,p=1", "m=128,t=1,p=1")


def _hash(store: Store) -> str:
    with store.database.read() as tx:
        return str(tx.execute(select(Account.c.password_hash)).scalar_one())
