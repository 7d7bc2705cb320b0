"""The credentials of a call: a key, or a session that pays with the account or with one of its keys."""

import pytest

from store.call_credentials import PLAYGROUND_NAME, ApiKeyCredential, SessionCredential
from store.errors import DatabaseUnreachable, InvalidApiKey, SessionEnded
from store.store import Store
from store.values.billing import ModelPrice
from store.values.playground import ChatTurn, PlaygroundMode, PlaygroundQuestion, Speaker
from tests.harness.people import Person


def test_a_session_pays_for_itself_or_with_its_key(store: Store, alice: Person) -> None:
    made = store.api_keys.create(alice.token, "laptop")
    of_key = ApiKeyCredential(store.api_keys, made.key)
    of_account = SessionCredential(store.sessions, store.api_keys, alice.token, None)
    of_session = SessionCredential(store.sessions, store.api_keys, alice.token, made.info.id)
    assert len({of_key.name, of_account.name, of_session.name}) == 3
    assert made.key not in repr(of_key)
    assert alice.token not in repr(of_session)
    with store.database.read() as tx:
        assert of_key.holder(tx).key_id == of_session.holder(tx).key_id == made.info.id
        assert (of_account.holder(tx).key_id, of_account.holder(tx).key_name) == (None, PLAYGROUND_NAME)
        with pytest.raises(InvalidApiKey):
            SessionCredential(store.sessions, store.api_keys, alice.token, made.info.id + 1).holder(tx)
    store.sessions.end(alice.token)
    with store.database.read() as tx, pytest.raises(SessionEnded):
        of_account.holder(tx)


def test_a_question_is_asked_for_the_account_and_as_text_unless_it_says_otherwise() -> None:
    question = PlaygroundQuestion("some-model", (ChatTurn(Speaker.USER, "Hello?"),))
    assert (question.key_id, question.mode) == (None, PlaygroundMode.TEXT)


def test_the_price_is_read_with_the_holder(store: Store, alice: Person) -> None:
    made = store.api_keys.create(alice.token, "laptop")
    credentials = (
        ApiKeyCredential(store.api_keys, made.key),
        SessionCredential(store.sessions, store.api_keys, alice.token, made.info.id),
    )
    price = ModelPrice("GPT-5", 3, 4, 5, 1, 1000)
    store.pricing.set(price)
    store.pricing.set(ModelPrice("other", 1, 1))
    for credential in credentials:
        with store.database.look() as tx:
            for model, found in (("GPT-5", price), ("gpt-5", price), ("gpt", None), ("gpt-5\ud800", None), ("", None)):
                assert credential.holder_and_price(tx, model) == (credential.holder(tx), found)
    with store.database.look() as tx, pytest.raises(InvalidApiKey):
        ApiKeyCredential(store.api_keys, made.key + "x").holder_and_price(tx, "GPT-5")


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_read_over_a_lost_connection_says_so_and_the_next_has_another(store: Store, alice: Person) -> None:
    credential = ApiKeyCredential(store.api_keys, store.api_keys.create(alice.token, "laptop").key)
    with store.database.look() as tx:
        pid = tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with store.database.look() as other:
            other.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 10000)")
        with pytest.raises(DatabaseUnreachable):
            credential.holder_and_price(tx, "gpt-5")
    with store.database.look() as tx:
        assert credential.holder_and_price(tx, "gpt-5") == (credential.holder(tx), None)
