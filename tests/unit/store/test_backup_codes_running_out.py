"""When three backup codes are left the owner is told once, and once more only for a new set."""

from store.store import Store
from tests.harness.people import Person, code_at, configure_mail, enrol, prove, queued, tags, ticket_for
from tests.harness.stores import StillClock


def use(store: Store, codes: tuple[str, ...]) -> list[str]:
    """Sign in with each code; returns the mails that came of it."""
    for code in codes:
        store.sign_in.with_code(ticket_for(store), code)
    return [job.kind for job in queued(store)]


def test_the_owner_is_told_once_for_each_set(store: Store, alice: Person, clock: StillClock) -> None:
    configure_mail(store)
    enrolment = enrol(store, clock, alice.token)
    queued(store)
    assert use(store, enrolment.codes[:6]) == ["backup-code:used"] * 6
    assert sorted(use(store, enrolment.codes[6:7])) == ["backup-code:used", "backup-codes:low"]
    assert use(store, enrolment.codes[7:]) == ["backup-code:used"] * 3
    assert tags(store, alice.id).count("backup-codes:low") == 1

    token = store.sign_in.with_code(ticket_for(store), code_at(enrolment.secret, clock)).token
    codes = store.two_factor.renew_codes(token)
    queued(store)
    assert sorted(use(store, codes[:7])) == ["backup-code:used"] * 7 + ["backup-codes:low"]
    assert tags(store, alice.id).count("backup-codes:low") == 2


def test_a_proof_by_backup_code_counts_as_well(store: Store, alice: Person, clock: StillClock) -> None:
    configure_mail(store)
    enrolment = enrol(store, clock, alice.token)
    queued(store)
    for code in enrolment.codes[:7]:
        store.sign_in.prove_with_code(alice.token, code)
    assert [job.kind for job in queued(store)].count("backup-codes:low") == 1


def test_a_factor_set_up_again_starts_again(store: Store, alice: Person, clock: StillClock) -> None:
    configure_mail(store)
    for _ in range(2):
        prove(store, alice.token)
        enrolment = enrol(store, clock, alice.token)
        queued(store)
        for code in enrolment.codes[:8]:
            store.sign_in.prove_with_code(alice.token, code)
        assert [job.kind for job in queued(store)].count("backup-codes:low") == 1
        store.two_factor.disable(alice.token)
