"""Keys and prices as earlier calls have read them. The hold of the next call asks whether they still stand."""

from typing import Final

from store.api_key_use import KeyHolder
from store.call_credentials import ApiKeyCredential, CallCredential
from store.known_calls import KnownCall, known_call
from store.values.billing import ModelPrice

MAX_KNOWN_CALLS: Final = 10_000


class KnownCalls:
    """By credential and model. Threads share it; a call that it does not know reads for itself."""

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, str], KnownCall] = {}

    def find(self, credential: CallCredential, model: str) -> KnownCall | None:
        return self._known.get((credential.name, model))

    def forget(self, credential: CallCredential, model: str) -> None:
        self._known.pop((credential.name, model), None)

    def note(self, credential: CallCredential, model: str, holder: KeyHolder, price: ModelPrice | None) -> None:
        """Note what a call has just read, if it was with an API key."""
        if not isinstance(credential, ApiKeyCredential):
            return
        known = known_call(holder, price, key=credential.key, model=model)
        if known is None:
            return
        if len(self._known) >= MAX_KNOWN_CALLS:
            self._known.clear()
        self._known[credential.name, model] = known
