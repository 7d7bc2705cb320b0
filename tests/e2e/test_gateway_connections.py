"""`gatekey serve --database-connections`: calls wait for one of the few connections, and none is refused."""

import asyncio
from pathlib import Path
from typing import Final

import httpx
from sqlalchemy import text

from tests.fakes.model_server import ModelServer
from tests.harness.charged_calls import CHAT, COST, prepare_account
from tests.harness.live_servers import live
from tests.harness.served_gateway import PATIENCE, served
from tests.harness.stores import lift_request_rates, make_ring, make_store, sign_in

CONNECTIONS: Final = 4
CALLS: Final = 40


async def test_calls_share_few_connections(tmp_path: Path, postgres_url: str) -> None:
    options = ["--database-connections", str(CONNECTIONS)]
    with live(ModelServer().app) as upstream:
        key = prepare_account(postgres_url, upstream)
        with make_store(postgres_url) as store:
            lift_request_rates(store)
            with served(tmp_path, postgres_url, make_ring(), options=options) as gateway:
                headers = {"Authorization": f"Bearer {key}"}
                async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=PATIENCE) as client:
                    calls = [client.post("/v1/chat/completions", json=CHAT) for _ in range(CALLS)]
                    answers = await asyncio.gather(*calls)
                with store.database.look() as tx:
                    of_gateway = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
                    count = tx.execute(of_gateway).scalar_one()
            own = store.database.engine.pool.checkedin()  # type: ignore[attr-defined]
            assert {answer.status_code for answer in answers} == {200}
            assert 0 < count - own <= CONNECTIONS
            assert store.quota.state(sign_in(store)).used_micro_usd == CALLS * COST
