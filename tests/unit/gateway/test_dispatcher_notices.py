"""Security notices by e-mail: what happened to an account reaches its own address, if there is a mail server."""

from email import message_from_bytes
from email.policy import default

from gateway.dispatcher import run_once
from store.audit_tags import Tag
from store.notices import DELETED_SENTENCE, SENTENCES
from store.store import Store
from store.values.sign_in import SecondFactorNeeded
from tests.harness.notifications import HOST, NotificationReceivers, allow, targets, use
from tests.harness.people import (
    GITHUB,
    allow_bindings,
    allow_passkeys,
    contents,
    credential,
    enrol,
)
from tests.harness.stores import PASSWORD, StillClock, add_account, sign_in, still_clock

NEW_PASSWORD = "entirely different words here"
EVENTS = (
    Tag.PASSWORD_CHANGED,
    Tag.TWO_FACTOR_ENABLED,
    Tag.BACKUP_CODES_RENEWED,
    Tag.BACKUP_CODE_USED,
    Tag.ACCESS_TOKEN_GENERATED,
    Tag.ACCESS_TOKEN_REVOKED,
    Tag.PASSKEY_ADDED,
    Tag.PASSKEY_REMOVED,
    Tag.IDENTITY_BOUND,
    Tag.IDENTITY_UNBOUND,
    Tag.TWO_FACTOR_DISABLED,
    Tag.PASSWORD_RESET,
)
"""In the order in which `live` makes them happen."""


def live(store: Store, clock: StillClock, boxes: NotificationReceivers) -> list[str]:
    """Everything that is worth a notice happens to alice, who chose every channel but e-mail; returns her secrets."""
    allow_passkeys(store)
    allow_bindings(store)
    allow(store, *(f"{HOST}:{receiver.port}" for receiver in boxes.web.values()))
    account = add_account(store)
    store.settings.save_for(account.id, targets(boxes.origins), 1, actor="test")
    token = sign_in(store)
    store.passwords.change(token, PASSWORD, NEW_PASSWORD, NEW_PASSWORD)
    enrolment = enrol(store, clock, token)
    codes = store.two_factor.renew_codes(token)
    answer = store.sign_in.with_password("alice", NEW_PASSWORD, source="pts/1")
    assert isinstance(answer, SecondFactorNeeded)
    token = store.sign_in.with_code(answer.ticket, codes[0]).token
    access_token = store.access_token.generate(token).token
    store.access_token.revoke(token)
    store.passkeys.remove(token, store.passkeys.add(token, "key", credential()))
    store.bindings.bind(token, GITHUB, "1", "alice elsewhere")
    (bound,) = store.bindings.list(token)
    assert bound.binding_id is not None
    store.bindings.unbind(token, bound.binding_id)
    store.two_factor.disable(token)
    store.passwords.reset("alice", PASSWORD, actor="test")
    return [NEW_PASSWORD, PASSWORD, enrolment.secret, access_token, *codes, *enrolment.codes]


def texts(boxes: NotificationReceivers) -> list[str]:
    """The plain text of each mail, on one line, in order."""
    parts = [message_from_bytes(mail.content, policy=default).get_body(("plain",)) for mail in boxes.mail.mails]
    return [" ".join(str(part.get_content()).split()) for part in parts if part is not None]


def test_each_event_was_told_by_e_mail_and_by_nothing_else(
    store: Store, clock: StillClock, boxes: NotificationReceivers
) -> None:
    use(store, boxes)
    planted = live(store, clock, boxes)
    assert run_once(store, boxes.ways()).delivered == len(EVENTS)
    said = texts(boxes)
    told = [sum(SENTENCES[tag] in text for text in said) for tag in EVENTS]
    hits = [secret for secret in planted for mail in boxes.mail.mails if secret.encode() in mail.content]
    print(f"BAR K2 security notices delivered by SMTP: {sum(told)}/{len(EVENTS)}, {len(hits)} secrets in them")
    assert told == [1] * len(EVENTS)
    assert hits == []
    assert {mail.recipients for mail in boxes.mail.mails} == {("alice@example.com",)}
    assert {mail.user for mail in boxes.mail.mails} == {boxes.mail.username}
    assert all(text.startswith("This concerns the account alice.") for text in said)
    assert all("If this was not you" in text for text in said)
    assert len(set(boxes.mail.ids)) == len(EVENTS)
    assert sum(receiver.connections for receiver in boxes.web.values()) == 0


def test_without_a_mail_server_nothing_was_told_and_nothing_waited(
    store: Store, clock: StillClock, boxes: NotificationReceivers
) -> None:
    live(store, clock, boxes)
    store.deletion.delete(sign_in(store, source="pts/2"), "alice")
    assert store.deliveries.next_due() is None
    use(store, boxes)  # what happened before is not told afterwards
    assert run_once(store, boxes.ways()).delivered == 0
    assert boxes.mail.ids == []


def test_the_last_notice_arrived_after_the_account_was_gone(store: Store, boxes: NotificationReceivers) -> None:
    use(store, boxes)
    add_account(store, email="gone@example.com")
    store.deletion.delete(sign_in(store), "alice")
    boxes.break_down()
    assert run_once(store, boxes.ways()).delivered == 0
    boxes.recover()
    clock = still_clock(store)
    clock.advance(seconds=6)
    assert run_once(store, boxes.ways()).delivered == 1
    (text,) = texts(boxes)
    assert text == DELETED_SENTENCE
    assert [mail.recipients for mail in boxes.mail.mails] == [("gone@example.com",)]
    first, second = boxes.mail.ids
    assert first == second
    rows = contents(store)
    assert rows["outbox"] == rows["deliveries"] == []
