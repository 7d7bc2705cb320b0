"""One build of the gateway with an account that may spend, for `gateway_before`. It runs in either build.

python -P gateway_subject.py DATABASE UPSTREAM ACCOUNTS [OPTION OF serve...]

Run with the build's own Python and its checkout as PYTHONPATH. It prints one JSON object: the URL, the process id and
a key of each account. When its standard input ends it stops the gateway and prints what was charged and what is still
held, in micro-USD. Only what both builds have is imported.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from store.money import MICRO_PER_USD
from store.store import Store
from store.values.billing import ModelPrice
from tests.harness.served_gateway import served
from tests.harness.stores import add_account, make_ring, make_store, sign_in

if TYPE_CHECKING:
    from tests.harness.served_gateway import ServeOptions

MODEL: Final = "gpt-priced"


def prepare(store: Store, upstream: str, accounts: int) -> list[str]:
    """A key of each of so many new accounts of `store`, whose calls are priced and not counted per minute."""
    store.pricing.set(ModelPrice(MODEL, MICRO_PER_USD, 2 * MICRO_PER_USD))
    store.site.set("upstream.base_url", f"{upstream}/v1")
    for counted in ("key", "account"):
        store.site.set(f"limits.requests_per_minute_per_{counted}", "0")
    return [_key_of(store, f"account{number}") for number in range(accounts)]


def _key_of(store: Store, name: str) -> str:
    add_account(store, name, email=f"{name}@example.com")
    store.quota.adjust(name, set_to=1_000_000 * MICRO_PER_USD, actor="benchmark")
    return store.api_keys.create(sign_in(store, name), "laptop").key


def main(database: str, upstream: str, accounts: str, *options: str) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="gatekey-benchmark-") as folder,
        make_store(database or _file_in(Path(folder))) as store,
    ):
        keys = prepare(store, upstream, int(accounts))
        # The `served` of the first builds has no options.
        more: ServeOptions = {"options": options} if options else {}
        with served(Path(folder), database or _file_in(Path(folder)), make_ring(), **more) as gateway:
            print(json.dumps({"url": gateway.url, "pid": gateway.process.pid, "keys": keys}), flush=True)
            sys.stdin.read()
        with store.database.read() as tx:
            charged, held = tx.execute(text("SELECT sum(used_micro_usd), sum(held_micro_usd) FROM quotas")).one()
        print(json.dumps({"charged": int(charged), "held": int(held)}), flush=True)


def _file_in(folder: Path) -> str:
    private = folder / "private"
    private.mkdir(mode=0o700, exist_ok=True)
    return f"sqlite:///{private / 'gatekey.sqlite3'}"


if __name__ == "__main__":
    main(*sys.argv[1:])
