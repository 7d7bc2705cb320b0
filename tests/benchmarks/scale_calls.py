"""The main statements of calls, made on PostgreSQL by pgbench, and the CPU that a server takes for them."""

import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import text

from store.store import Store
from tests import parts
from tests.harness.postgres import PostgresServer

ACCOUNTS: Final = 10_000
_ACCOUNTS: Final = """
INSERT INTO accounts (id, name, name_key, email, role, auth_epoch, user_handle, created_at)
SELECT n, 'n' || n, 'n' || n, '', 'user', 1, convert_to('h' || n, 'UTF8'), now() FROM generate_series(2, :last) AS n;
INSERT INTO quotas (account_id, remaining_micro_usd, held_micro_usd, used_micro_usd, warning_armed)
SELECT n, 1000000000000, 0, 0, false FROM generate_series(2, :last) AS n;
UPDATE quotas SET remaining_micro_usd = 1000000000000 WHERE account_id = 1
"""
_CALL: Final = """
\\set account random(1, :accounts)
BEGIN;
SELECT id, set_config('synchronous_commit', 'off', true) FROM accounts WHERE id = :account FOR KEY SHARE;
UPDATE quotas SET held_micro_usd = held_micro_usd + 900 WHERE account_id = :account;
END;
BEGIN;
SELECT id FROM accounts WHERE id = :account FOR KEY SHARE;
UPDATE quotas SET remaining_micro_usd = remaining_micro_usd - 500, held_micro_usd = held_micro_usd - 900,
  used_micro_usd = used_micro_usd + 500, ledger_sequence = ledger_sequence + 1 WHERE account_id = :account
  RETURNING ledger_sequence AS sequence \\gset
INSERT INTO usage_log (account_id, kind, at, model, api_key_name, request_id, status, detail, prompt_tokens,
  completion_tokens, cost_micro_usd, duration_ms, unpriced) VALUES (:account, 'consumption', now(), 'gpt-5-mini',
  'laptop', 'req_0123456789abcdef0123456789', 'ok', '', 1200, 300, 500, 900, false);
INSERT INTO ledger VALUES (:account, :sequence, now(), 'call', -500, 0, 1, 'gpt-5-mini', 'laptop');
END;
"""
"""As in the gateway, the commit of the hold does not wait for the disk, and that of the booking does."""


class Run(NamedTuple):
    """The figures that pgbench prints of a run."""

    calls_per_second: float
    calls: int
    latency_ms: float
    """The mean of a call, both transactions together."""


def add_accounts(store: Store) -> None:
    """Add accounts to the first one until there are `ACCOUNTS`, all with money enough."""
    with store.database.write() as tx:
        for statement in _ACCOUNTS.split(";\n"):
            tx.execute(text(statement), {"last": ACCOUNTS})


def make_calls(
    server: PostgresServer,
    url: str,
    seconds: float,
    *,
    clients: int,
    accounts: int = ACCOUNTS,
    rate: int | None = None,
    options: str = "",
) -> Run:
    """Make calls on the database at `url`, `rate` a second if it is given. `options` are of the clients' sessions."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_CALL)
        script.flush()
        command = [str(parts.find("pgbench")), "-h", str(server.folder), "-U", "postgres", "-n", "-M", "prepared"]
        command += ["-c", str(clients), "-j", str(min(clients, 2)), "-T", str(int(seconds))]
        command += ["-D", f"accounts={accounts}", "-f", script.name]
        command += [] if rate is None else ["-R", str(rate)]
        command += [re.sub(r".*/(\w+)\?.*", r"\1", url)]
        environment = {**os.environ, "PGOPTIONS": options}
        found = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return Run(
        _number(r"tps = ([\d.]+)", found),
        int(_number(r"actually processed: (\d+)", found)),
        _number(r"latency average = ([\d.]+)", found),
    )


def cpu_of_server(server: PostgresServer) -> float:
    """Seconds of CPU that all processes of a server have taken, those that have ended included."""
    postmaster = int(Path(server.folder, "data", "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return sum(map(cpu_of_process, (postmaster, *map(int, children))))


def cpu_of_process(pid: int) -> float:
    """Seconds of CPU of a process and of those of its children that have ended; 0 if it has ended itself."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return 0
    return sum(map(int, status.rpartition(")")[2].split()[11:15])) / os.sysconf("SC_CLK_TCK")


def _number(pattern: str, told: str) -> float:
    found = re.search(pattern, told)
    assert found, told
    return float(found[1])
