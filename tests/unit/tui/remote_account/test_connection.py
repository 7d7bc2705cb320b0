"""The opening of an account whose server is not there, and its second try."""

import asyncio

import pytest

from store.errors import ServerUnreachable
from tests.harness.remote_consoles import IMPATIENT, remote_account
from tests.new_api.generations import Generation
from tests.new_api.running import PASSWORD, in_memory


async def test_a_failed_opening_is_tried_again_by_whoever_waits_for_it() -> None:
    with in_memory(Generation.AUG) as standin:
        account = remote_account(standin, patience=IMPATIENT)
        early = asyncio.create_task(account.wait_until_open())
        await asyncio.sleep(0)
        standin.faults.is_down = True
        for attempt in (account.open, account.wait_until_open):
            with pytest.raises(ServerUnreachable):
                await attempt()
        assert not early.done()
        standin.faults.is_down = False
        await asyncio.gather(account.wait_until_open(), account.wait_until_open())
        await early
        assert account.is_open
        assert await account.sign_in("alice", PASSWORD) is None
        await account.close()
