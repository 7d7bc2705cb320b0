"""The wallet: codes are redeemed once, also when the answer is lost."""

from decimal import Decimal

import httpx
import pytest

from remote.client import RemoteClient
from store.errors import AnswerLost, AnswerUnreadable, CodeRefused, InvalidSecret
from tests.harness.scripted_server import ScriptedServer, Waits, answer, aug_server, refusal, signed_in

ROUTE = "POST /api/user/topup"


async def test_a_code_is_redeemed(server: ScriptedServer, client: RemoteClient) -> None:
    server.script(ROUTE, answer(500_000), refusal())
    assert await client.wallet.redeem(" 70e515540b4c45f5 ") == 1_000_000
    assert server.seen[-1].content == b'{"key": "70e515540b4c45f5"}'
    with pytest.raises(CodeRefused) as caught:
        await client.wallet.redeem("70e515540b4c45f5")
    assert caught.value.field == "code"


async def test_a_lost_answer_is_told_and_the_code_not_sent_twice() -> None:
    server, waits = aug_server(), Waits()
    client = await signed_in(server, waits=waits)
    server.script(ROUTE, httpx.ReadError("x"), answer(500_000), answer("much"))
    with pytest.raises(AnswerLost, match="balance"):
        await client.wallet.redeem("70e515540b4c45f5")
    assert len(server.asked(ROUTE)) == 1
    await client.wallet.redeem("70e515540b4c45f5")
    with pytest.raises(AnswerUnreadable):
        await client.wallet.redeem("70e515540b4c45f5")


@pytest.mark.parametrize("code", ["", "two words", "x" * 200])
async def test_what_is_no_code_is_not_sent(code: str, client: RemoteClient) -> None:
    with pytest.raises(InvalidSecret):
        await client.wallet.redeem(code)


async def test_payments_and_the_ways_to_pay_are_read(server: ScriptedServer, client: RemoteClient) -> None:
    row = {"trade_no": "T1", "amount": 10, "money": 73.5, "payment_method": "alipay", "status": "success"}
    row |= {"create_time": 1795657448, "complete_time": 0}
    server.script("GET /api/user/topup/self", answer({"total": 1, "items": [row]}))
    (top_up,) = (await client.wallet.top_ups()).entries
    assert (top_up.trade_number, top_up.amount, top_up.paid, top_up.completed_at) == ("T1", 10, Decimal("73.5"), None)
    info = {"enable_online_topup": False, "enable_stripe_topup": True, "enable_redemption": False, "topup_link": "x"}
    server.script("GET /api/user/topup/info", answer(info), answer({}))
    ways = await client.wallet.ways()
    assert (ways.takes_payments, ways.takes_codes, ways.link) == (True, False, "x")
    assert not (await client.wallet.ways()).takes_payments
