"""The limits of an implementation of the account, as a value that screens read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, NamedTuple

UNKNOWN_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for a time that a server does not tell, where a value needs one. Screens leave it out by `no_dates`."""


class Capabilities(NamedTuple):
    """The limits of an account. Each is the sentence that a screen shows in the place of what it leaves out.

    An empty one is no limit. The names say what is true while there is a sentence: `no_sessions` holds "This server
    keeps no list of sessions.", and the screen has no button then. The program writes the sentences, never a server.
    """

    # -- every page
    no_lock: str = ""
    """Nothing could unlock the console again."""
    no_modules: Mapping[str, str] = MappingProxyType({})
    """Modules without a page, by their ids."""

    no_dates: str = ""
    """Nobody tells when a second factor was enabled, or a passkey registered."""

    keeps_secrets_readable: str = ""
    """Tokens and API keys are stored as they are, not as hashes."""
    no_code_unlock: str = ""
    """A lock is opened by the password alone."""

    # -- Account Binding
    no_binding: str = ""
    """Identities are shown, and are bound and unbound somewhere else."""
    no_device_login: str = ""
    """A provider takes no code: the person opens its page, and pastes the address at which the browser ends."""
    bindings_end_no_session: str = ""
    """Binding and unbinding leave the other sessions open."""
    bindings_skip_second_factor: str = ""
    """An identity signs in without the second factor."""

    # -- Security
    other_sessions_stay: str = ""
    """A changed password or second factor ends no session."""
    asks_no_proof: str = ""
    """Changes are made without a fresh proof of identity."""
    no_password_change: str = ""
    no_passkeys: str = ""
    no_passkey_registration: str = ""
    """Passkeys are listed and removed, and registered somewhere else."""
    no_passkey_ceremony: str = ""
    """A passkey is registered at the server's own page: the console shows its address, and watches."""
    no_passkey_labels: str = ""
    no_passkey_alarm: str = ""
    """Nobody tells that a passkey may have been copied."""
    no_passkey_proof: str = ""
    no_password_proof: str = ""
    """Only a code proves who somebody is."""
    one_passkey: str = ""
    no_two_factor: str = ""
    no_ssh_keys: str = ""
    no_token_status: str = ""
    """The server does not tell whether there is a System Access Token, nor since when."""
    no_token_revocation: str = ""
    no_sessions: str = ""
    sessions_end_otherwise: str = ""
    """A session ends by itself after another time."""
    no_activity: str = ""
    no_export: str = ""
    no_deletion: str = ""
    deletion_keeps: str = ""
    """Says what a deletion removes and what it leaves, in the place of the promise that nothing is left."""
    longest_password: int = 1024
    backup_codes: int = 10
    """The codes of one set."""

    # -- Notifications, Price, Privacy
    no_bark_encryption: str = ""
    no_test_message: str = ""
    no_delivery_report: str = ""
    one_channel: str = ""
    """At most one channel is on: switching one on switches the others off."""
    warnings_repeat: str = ""
    """A warning is sent again and again while the quota is below the threshold."""
    no_seen_models: str = ""
    no_ip_erasure: str = ""

    # -- modules
    no_key_rotation: str = ""
    no_key_rates: str = ""
    """A key has no limit of requests per minute."""
    no_key_periods: str = ""
    """The spend limit of a key never begins anew."""
    revoked_keys_vanish: str = ""
    needs_paying_key: str = ""
    """A question of the Playground is paid by an API key, never by the account itself."""
    no_cost_estimate: str = ""
    """The cost of a question is not known before its answer."""
    no_images: str = ""
    """The Playground makes no images."""
    no_task_models: str = ""
    """A drawing or task has its action in the place of a model, no key, and its progress in percent."""
    errors_may_be_unlogged: str = ""
    """No error in the log does not mean that no call has failed."""
    figures_lag: str = ""
    """The figures of Overview are behind, and are read again less often than the page asks."""
    no_call_prices: str = ""
    """The price of a logged call is not told."""
    no_reading_upwards: str = ""
    """Logs are read from the newest entry down alone."""
    no_ledger: str = ""
    """The list of the wallet holds top-ups alone, without the balance after each."""
    no_prices: str = ""
    no_redeem_codes: str = ""
    other_codes: str = ""
    """Codes have another form."""
    codes_count_as_sign_ins: str = ""
    """Wrong codes count against the sign-in too."""


EVERYTHING: Final = Capabilities()
"""No limit: what the store of this machine can do."""
