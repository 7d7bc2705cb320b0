"""The work of a dispatcher until it is killed. Each process imports this module anew, so it imports little."""

import os
import signal
import ssl
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Literal, NoReturn

from gateway.dispatcher import DeliveryTransports, run_once
from store.outbox import Job
from tests.faults.killed_process import TargetProcess
from tests.harness.quota_calls import spend_quota

Gap = Literal["before the lease", "before the sending", "before the note"]
"""The moments of a dispatcher's death: the warning is committed in each, and noted as sent in none."""

WAYS: Final = DeliveryTransports(partial(ssl.SSLContext, ssl.PROTOCOL_TLS_CLIENT))
"""Everything goes over plain HTTP here: nobody needs to be trusted."""


def warn_and_dispatch(target: TargetProcess, account_id: int) -> None:
    """Fall below the threshold, say so, and deliver the warning."""
    store, _ = target.open()
    spend_quota(store, account_id, 4_500_000)
    target.say("spent")
    run_once(store, WAYS)
    target.say("sent")


def die_in(target: TargetProcess, account_id: int, gap: Gap) -> None:
    """Fall below the threshold and deliver the warning, but die in this gap."""

    def die() -> NoReturn:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    async def resolve(_host: str, _port: int) -> Sequence[str]:
        die()

    def delivered(_job: Job) -> bool:
        die()

    store, _ = target.open()
    spend_quota(store, account_id, 4_500_000)
    target.say("spent")
    if gap == "before the lease":
        die()
    if gap == "before the note":
        store.outbox.delivered = delivered  # type: ignore[method-assign,assignment]  # the end
    run_once(store, replace(WAYS, resolve=resolve) if gap == "before the sending" else WAYS)
