"""Acts that need a fresh proof are refused without one, and then nothing at all is changed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import pytest
from sqlalchemy import update

from store.errors import FreshProofRequired, GatekeyError, SessionLocked
from store.models import Session
from store.sections import NotificationSettings
from store.sessions import PROOF_LIFETIME
from store.store import Store
from store.values.sign_in import SecondFactorNeeded
from tests.harness.fixtures import in_memory
from tests.harness.people import Person, allow_bindings, allow_passkeys, contents, credential, enrol, prove, session_of
from tests.harness.stores import PASSWORD, SOURCE, StillClock, add_account


@dataclass
class Scene:
    """An account that has one of everything, and the session to act with."""

    store: Store
    clock: StillClock
    token: str
    codes: list[str]
    passkey: int
    binding: int


def change_target(scene: Scene) -> object:
    version = scene.store.settings.load(scene.token, NotificationSettings).version
    return scene.store.settings.save(scene.token, NotificationSettings(email_address="else@example.com"), version)


ACTIONS: Final[dict[str, Callable[[Scene], object]]] = {
    "two-factor on": lambda scene: scene.store.two_factor.begin(scene.token),
    "two-factor off": lambda scene: scene.store.two_factor.disable(scene.token),
    "backup codes": lambda scene: scene.store.two_factor.renew_codes(scene.token),
    "access token": lambda scene: scene.store.access_token.generate(scene.token),
    "access token off": lambda scene: scene.store.access_token.revoke(scene.token),
    "API key": lambda scene: scene.store.api_keys.create(scene.token, "another"),
    "passkey begin": lambda scene: scene.store.ceremonies.begin_registration(scene.token, "another"),
    "passkey add": lambda scene: scene.store.passkeys.add(scene.token, "another", credential(2)),
    "passkey rename": lambda scene: scene.store.passkeys.rename(scene.token, scene.passkey, "another"),
    "passkey remove": lambda scene: scene.store.passkeys.remove(scene.token, scene.passkey),
    "bind": lambda scene: scene.store.bindings.bind(scene.token, "gitlab", "1", "alice"),
    "unbind": lambda scene: scene.store.bindings.unbind(scene.token, scene.binding),
    "notification target": change_target,
    "export": lambda scene: list(scene.store.exports.document(scene.token)),
    "delete": lambda scene: scene.store.deletion.delete(scene.token, "alice"),
}
"""Everything that needs a proof; for a new password the original one is the proof."""


def no_proof(scene: Scene) -> None:
    with scene.store.database.write() as tx:
        tx.execute(update(Session).values(proof_at=None))


def expired(scene: Scene) -> None:
    prove(scene.store, scene.token)
    scene.clock.time += PROOF_LIFETIME
    scene.store.sessions.whoami(scene.token)


def of_another_session(scene: Scene) -> None:
    answer = scene.store.sign_in.with_password("alice", PASSWORD, source=SOURCE)
    if isinstance(answer, SecondFactorNeeded):
        answer = scene.store.sign_in.with_code(answer.ticket, scene.codes.pop())
    assert scene.store.sessions.whoami(session_of(answer)).proved_at == scene.clock.now()


def locked(scene: Scene) -> None:
    scene.store.sessions.lock(scene.token)


STATES: Final[dict[Callable[[Scene], None], type[GatekeyError]]] = {
    no_proof: FreshProofRequired,
    expired: FreshProofRequired,
    of_another_session: FreshProofRequired,
    locked: SessionLocked,
}


@in_memory
@pytest.mark.parametrize("action", ACTIONS)
def test_without_a_fresh_proof_nothing_changes(store: Store, clock: StillClock, alice: Person, action: str) -> None:
    add_account(store, "carol")
    allow_passkeys(store)
    allow_bindings(store)
    allow_bindings(store, "gitlab")
    codes = () if action == "two-factor on" else enrol(store, clock, alice.token).codes
    passkey = store.passkeys.add(alice.token, "key", credential())
    store.bindings.bind(alice.token, "github", "4711", "alice")
    binding = next(one.binding_id for one in store.bindings.list(alice.token) if one.binding_id is not None)
    store.access_token.generate(alice.token)
    scene = Scene(store, clock, alice.token, list(codes), passkey, binding)

    refused = 0
    for state, error in STATES.items():
        state(scene)
        before = contents(store)
        with pytest.raises(error) as caught:
            ACTIONS[action](scene)
        assert type(caught.value) is error
        assert contents(store) == before
        refused += 1
    print(f"{action} without a fresh proof: {refused} of {len(STATES)} refused, 0 rows changed")

    prove(store, alice.token)
    ACTIONS[action](scene)
