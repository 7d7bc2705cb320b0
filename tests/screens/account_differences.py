"""The promises of the console that a New API server does not keep, and why.

Each is a test that runs in every home of an account (`tests/harness/homes.py`), and fails where it is listed here: a
test that passes there fails the run, as its entry is out of date. `docs/new_api_page.py` writes the table of
`docs/new-api.md` from this list.
"""

import asyncio
from dataclasses import dataclass
from functools import cache
from typing import Final

from tests.harness.homes import Place
from tests.harness.remote_consoles import remote_account
from tests.new_api.generations import Generation
from tests.new_api.running import in_memory
from tui.account import Capabilities

FEB: Final = (Place.FEB,)
BOTH: Final = (Place.FEB, Place.AUG)


@dataclass(frozen=True, slots=True)
class Difference:
    """A promise that is not kept."""

    file: str
    test: str
    promise: str
    """The promise in words, as it holds for a store."""
    limit: str = ""
    """The limit in `Capabilities` whose sentence the console shows there."""
    because: str = ""
    """The reason, where no limit tells it."""
    places: tuple[Place, ...] = BOTH

    @property
    def reason(self) -> str:
        """The reason, as the console says it where it does."""
        return self.because or str(getattr(limits_at(self.places[-1]), self.limit))


DIFFERENCES: Final = (
    Difference(
        "test_account_binding",
        "test_it_says_that_an_identity_does_not_replace_the_second_factor",
        "A sign-in with a bound identity asks for the second factor.",
        limit="bindings_skip_second_factor",
    ),
    Difference(
        "test_security_tab",
        "test_a_stale_proof_is_asked_for_again",
        "Before a new token is made, the identity is confirmed again after five minutes.",
        limit="asks_no_proof",
    ),
    Difference(
        "test_security_tab",
        "test_a_wrong_original_password_is_told_beside_what_is_wrong_with_the_new_one",
        "A wrong original password is told together with what is wrong with the new one.",
        because="The server checks the original password only together with a new one that it can take.",
    ),
    Difference(
        "test_change_password",
        "test_enter_changes_it_from_any_field_and_a_toast_says_so",
        "A changed password signs the other sessions out.",
        limit="other_sessions_stay",
        places=FEB,
    ),
    Difference(
        "test_security_tab",
        "test_a_code_that_is_none_of_the_ten_keeps_the_second_step",
        "Wrong backup codes are counted while two-factor authentication is set up.",
        because="The server asks for no backup code then: the console compares it by itself, and counts nothing.",
    ),
    Difference(
        "test_security_tab",
        "test_two_factor_is_disabled_after_a_question",
        "Two-factor authentication is disabled without another code.",
        limit="no_password_proof",
    ),
    Difference(
        "test_security_tab",
        "test_other_sessions_are_signed_out",
        "Other sessions are signed out.",
        limit="no_sessions",
        places=FEB,
    ),
    Difference(
        "test_sessions",
        "test_this_session_is_not_ended",
        "The session in use is not ended by mistake.",
        limit="no_sessions",
        places=FEB,
    ),
    Difference(
        "test_sessions",
        "test_all_others_are_ended_after_a_question",
        "All other sessions are ended at once.",
        limit="no_sessions",
        places=FEB,
    ),
    Difference(
        "test_sessions",
        "test_a_session_is_ended_after_a_question",
        "The sessions are listed, and each can be ended.",
        limit="no_sessions",
        places=FEB,
    ),
    Difference(
        "test_security_tab",
        "test_of_a_deleted_account_nothing_is_left",
        "Of a deleted account nothing is left.",
        limit="deletion_keeps",
    ),
    Difference(
        "test_notifications_save",
        "test_every_error_of_the_form_is_shown_at_once_and_the_first_has_the_focus",
        "Several channels are on at once, and the errors of all are shown.",
        limit="one_channel",
    ),
    Difference(
        "test_notifications_save",
        "test_fields_of_a_channel_are_kept_while_it_is_off",
        "The fields of a channel are stored while it is off.",
        limit="one_channel",
    ),
    Difference(
        "test_conflict",
        "test_a_secret_that_only_the_other_side_changed_is_no_choice",
        "A secret of a channel that is off can be stored by another console meanwhile.",
        limit="one_channel",
    ),
    Difference(
        "test_form_edits",
        "test_edits_are_discarded_and_brought_back_by_the_same_key",
        "A channel that is switched on leaves the others on.",
        limit="one_channel",
    ),
    Difference(
        "test_form_edits",
        "test_a_save_says_what_it_changed_until_the_next_edit",
        "Every channel can be switched off.",
        limit="one_channel",
    ),
    Difference(
        "test_notifications_save",
        "test_changing_where_warnings_go_asks_who_one_is",
        "The identity is confirmed before warnings go to another address.",
        limit="asks_no_proof",
    ),
    Difference(
        "test_notifications_save",
        "test_a_lower_threshold_asks_who_one_is_and_a_higher_one_does_not",
        "The identity is confirmed before the threshold is lowered.",
        limit="asks_no_proof",
    ),
    Difference(
        "test_notifications_tab",
        "test_the_threshold_stands_beside_what_is_left",
        "There is one warning for each fall below the threshold.",
        limit="warnings_repeat",
    ),
    Difference(
        "test_notifications_tab",
        "test_no_test_is_sent_of_what_is_not_saved",
        "A channel is tried with a test message.",
        limit="no_test_message",
    ),
    Difference(
        "test_privacy_tab",
        "test_stored_addresses_are_counted_and_erased",
        "Addresses that the log holds are counted, and erased.",
        limit="no_ip_erasure",
    ),
)


def difference_of(file: str, test: str, place: Place) -> Difference | None:
    """The entry of a test at a place."""
    return next((one for one in DIFFERENCES if (one.file, one.test) == (file, test) and place in one.places), None)


@cache
def limits_at(place: Place) -> Capabilities:
    """The limits of an account on a server of that generation, signed in with a password."""

    async def ask() -> Capabilities:
        with in_memory(Generation(place.value)) as standin:
            account = remote_account(standin)
            await account.open()
            try:
                return account.capabilities
            finally:
                await account.close()

    return asyncio.run(ask())
