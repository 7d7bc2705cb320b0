"""What a dispatcher does until it is killed. It is imported anew in each victim, so it imports little."""

import ssl
from functools import partial
from typing import Final

from gateway.dispatcher import Ways, run_once
from tests.faults.victim import Victim

WAYS: Final = Ways(partial(ssl.SSLContext, ssl.PROTOCOL_TLS_CLIENT))
"""Everything goes over plain HTTP here: nobody needs to be trusted."""


def warn_and_dispatch(victim: Victim, account_id: int) -> None:
    """Fall below the threshold, say so, and deliver the warning."""
    store, _ = victim.open()
    store.quota.charge(account_id, 4_500_000)
    victim.say("spent")
    run_once(store, WAYS)
    victim.say("sent")
