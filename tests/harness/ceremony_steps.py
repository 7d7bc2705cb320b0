"""The gateway's steps in a passkey ceremony, on a store whose clock stands still."""

from typing import Any

from gateway.relying_party import RelyingParty
from gateway.webauthn_ceremony import (
    authentication_options,
    credential_id_of,
    registration_options,
    verify_authentication,
    verify_registration,
)
from store.errors import GatekeyError
from store.passkey_ceremonies import Ceremony, Purpose
from tests.harness.stores import StillClock, add_account, make_store, sign_in


class CeremonySteps:
    """Take the challenge, check the answer, settle, report a failure to the console."""

    def __init__(self, party: RelyingParty) -> None:
        self.party = party
        self.clock = StillClock()
        self.store = make_store(clock=self.clock)
        self.store.site.set("passkeys.enabled", "true")
        add_account(self.store)
        self.token = sign_in(self.store)

    def options(self, code: str) -> dict[str, Any]:
        found = self.store.passkey_verification.look_up(code)
        if found.purpose is not Purpose.REGISTER:
            return authentication_options(self.party, challenge=found.challenge, allow=found.credential_ids)
        return registration_options(
            self.party,
            challenge=found.challenge,
            user_handle=found.user_handle,
            username=found.account_name,
            exclude=found.credential_ids,
        )

    def finish(self, code: str, answer: dict[str, Any]) -> None:
        claimed = self.store.passkey_verification.claim(code)
        try:
            self._settle(claimed, answer)
        except GatekeyError as error:
            self.store.passkey_verification.fail(claimed, str(error))
            raise

    def _settle(self, claimed: Ceremony, answer: dict[str, Any]) -> None:
        if claimed.purpose is Purpose.REGISTER:
            found = verify_registration(self.party, challenge=claimed.challenge, answer=answer)
            self.store.passkey_verification.finish_registration(claimed, found)
            return
        stored = self.store.passkeys.find(credential_id_of(answer))
        checked = verify_authentication(self.party, challenge=claimed.challenge, answer=answer, stored=stored)
        self.store.passkey_verification.finish_assertion(claimed, stored, checked.sign_count)
