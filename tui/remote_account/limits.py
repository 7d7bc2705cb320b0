"""The limits of an account on a New API server, by the generation of the server and the kind of session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from store.values.capabilities import Capabilities

if TYPE_CHECKING:
    from remote.address import ServerAddress
    from remote.generations import ServerFacts

LONGEST_PASSWORD: Final = 20
BACKUP_CODES: Final = 4
NEEDS_PAYING_KEY: Final = "A question is paid by one of your API keys: choose it with a, or create one on API Keys."
NO_COST_ESTIMATE: Final = "What an answer costs is told after it."
NO_IMAGES: Final = "This page makes no images on a server."
_ON_ITS_PAGE: Final = "Sign in on the server's own page, open your profile, and register the passkey there."
_SIGNS_OUT: Final = "The server then ends your other sessions, this console's too: sign in again."
_ONE_CHANNEL: Final = "This server warns on one channel at a time, and forgets the fields of the others: they are kept "
_KEPT_ON_DISK: Final = "on this machine, sealed, until you sign out."
_KEPT_IN_MEMORY: Final = "here until you sign out or close this console."
_NEEDS_SIGN_IN: Final = "A System Access Token may not do this: sign in with your password."


def capabilities_of(
    facts: ServerFacts | None, address: ServerAddress, *, by_token: bool, keeps_fields: bool
) -> Capabilities:
    """The limits. Before the server was asked, `facts` is None and the generation with fewer abilities is assumed.

    `keeps_fields` if the fields of the channels that are off are kept on disk.
    """
    is_feb = facts is None or facts.is_feb
    no_sessions = "This server keeps no list of sessions."
    return Capabilities(
        no_lock="A session of a System Access Token has no password that could unlock it." if by_token else "",
        no_binding=_NEEDS_SIGN_IN if by_token else "",
        no_device_login="You open the provider's page in a browser. It ends at a page of this server that cannot "
        "finish it: paste the address of that page here.",
        bindings_end_no_session="Your other sessions stay signed in.",
        bindings_skip_second_factor="An identity signs in there without your second factor.",
        keeps_secrets_readable="The server keeps it readable.",
        no_code_unlock="The server checks no code by itself.",
        no_dates="The server does not tell when.",
        other_sessions_stay="Other sessions stay: this server ends none." if is_feb else "",
        asks_no_proof="This server asks for no proof of identity: a change is made at once.",
        no_password_change=_NEEDS_SIGN_IN if by_token and not is_feb else "",
        no_password_proof="The server wants a code of your authenticator app for this.",  # noqa: S106 - a sentence
        no_passkey_proof="A passkey proves nothing from here.",
        no_passkeys=_NEEDS_SIGN_IN if by_token and is_feb else "",
        no_passkey_registration=f"It is registered in a browser, on the server's own page: {address.url}"
        if by_token
        else "",
        no_passkey_ceremony="" if by_token else _ON_ITS_PAGE if is_feb else f"{_ON_ITS_PAGE} {_SIGNS_OUT}",
        no_passkey_labels="The server gives it no label.",
        no_passkey_alarm="The server does not tell whether one may have been copied.",
        one_passkey="This server has one passkey per account.",
        no_ssh_keys="This server has no console over SSH.",
        no_token_status="whether there is one is not told",  # noqa: S106 - a sentence
        no_token_revocation="The server revokes no token: only a new one ends it.",  # noqa: S106 - a sentence
        no_sessions=no_sessions if is_feb else _NEEDS_SIGN_IN if by_token else "",
        sessions_end_otherwise="When a session ends by itself is up to the server.",
        no_activity="This server keeps no list of what was done to an account.",
        no_export="This server hands out no file with your data.",
        deletion_keeps="The server only closes the account: API keys, log entries, payments and bindings stay in its "
        "database, and the name can never be used again.",
        longest_password=LONGEST_PASSWORD,
        backup_codes=BACKUP_CODES,
        no_test_message="It sends no test message.",
        no_delivery_report="The server does not tell what became of a message.",
        one_channel=_ONE_CHANNEL + (_KEPT_ON_DISK if keeps_fields else _KEPT_IN_MEMORY),
        warnings_repeat="It repeats a warning as long as the quota is below the threshold.",
        no_bark_encryption="It knows no encryption key of Bark.",
        no_seen_models="This server does not tell which models without a price you called.",
        no_ip_erasure="This server erases no address that is stored already."
        + ("" if is_feb else " It notes that of each sign-in, whatever is set here."),
        no_key_rotation="This server makes no new secret for a key: make another key.",
        no_key_rates="This server limits no requests per minute.",
        no_key_periods="A spend limit never begins anew.",
        revoked_keys_vanish="A revoked key leaves the list.",
        needs_paying_key=NEEDS_PAYING_KEY,
        no_cost_estimate=NO_COST_ESTIMATE,
        no_images=NO_IMAGES,
        no_task_models="This server tells the action of a drawing or task and its progress, not its API key. Type the "
        "action after model: to filter.",
        errors_may_be_unlogged="This server logs errors only where its administrator has switched that on.",
        figures_lag="The server counts what a model cost every few minutes, and the page reads that once a minute.",
        no_call_prices="The price of that time is not worked out here.",
        no_reading_upwards="It is read from the newest entry down.",
        other_codes="As you were given it: capitals and dashes matter.",
        codes_count_as_sign_ins="The server counts codes and sign-ins together, and takes about 20 in 20 minutes.",
        no_ledger="This server keeps no ledger: it lists payments alone.",
    )
