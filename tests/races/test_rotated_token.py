"""A System Access Token is rotated while eight clients read with it: once that is acknowledged, the old one is dead."""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest

from store.store import Store
from tests.harness.processes import FULL, ProcessGroup, Worker, enter
from tests.harness.served_gateway import several
from tests.harness.stores import add_account, lift_request_rates, make_ring, sign_in

_END: Final = "end"
_HELD_BACK: Final = 3
"""The number of newest tokens a reader goes on trying."""
_ROUNDS: Final = 2
"""The rounds of readers over all of them, the newest included, before the next rotation."""
_PATIENCE: Final = 240.0
"""Seconds for that: a machine at work on other things is slow, not broken."""


@dataclass(frozen=True, slots=True)
class Read:
    """One request: which token it held, when it was begun, and its status. Times are those of CLOCK_MONOTONIC."""

    token: int
    began: float
    ended: float
    status: int


@dataclass(frozen=True, slots=True)
class Rotation:
    """When a token was asked for, and when that was acknowledged."""

    asked: float
    acknowledged: float


def take_part(
    worker: Worker, database: str, urls: list[str], session: str, board: Path, rotations: int
) -> tuple[list[Read], list[Rotation]]:
    """The first process rotates, the others read with what it wrote on the board, and with what was there before."""
    with httpx.Client(base_url=urls[worker.number % len(urls)], timeout=60) as client:
        worker.meet()
        if worker.number == 0:
            with board.open("a") as out:
                try:
                    return [], rotate(client, database, session, board, rotations)
                finally:
                    print(_END, file=out, flush=True)
        return read(client, board), []


def rotate(client: httpx.Client, database: str, session: str, board: Path, rotations: int) -> list[Rotation]:
    made: list[Rotation] = []
    with enter(database).store as store, board.open("a") as out:
        for number in range(rotations):
            asked = time.monotonic()
            token = store.access_token.generate(session).token
            made.append(Rotation(asked, time.monotonic()))
            print(token, file=out, flush=True)
            while rounds_of(board)[number] < _ROUNDS:
                assert read_once(client, number, token).status == 200
                assert time.monotonic() < made[-1].acknowledged + _PATIENCE, "the readers do not read"
    return made


def rounds_of(board: Path) -> Counter[int]:
    """The number of rounds in which readers noted each token as the newest they tried."""
    return Counter(map(int, notes_beside(board).read_text().split()))


def notes_beside(board: Path) -> Path:
    return board.with_suffix(".notes")


def read(client: httpx.Client, board: Path) -> list[Read]:
    done: list[Read] = []
    with board.open() as lines, notes_beside(board).open("a") as notes:
        tokens: list[str] = []
        while True:
            tokens += lines.read().split()
            if tokens and tokens[-1] == _END:
                return done
            for age in range(1, min(len(tokens), _HELD_BACK) + 1):
                number = len(tokens) - age
                done.append(read_once(client, number, tokens[number]))
            if tokens:
                print(len(tokens) - 1, file=notes, flush=True)


def read_once(client: httpx.Client, number: int, token: str) -> Read:
    began = time.monotonic()
    status = client.get("/api/account", headers={"Authorization": f"Bearer {token}"}).status_code
    return Read(number, began, time.monotonic(), status)


@pytest.mark.parametrize("rotations", [10, pytest.param(200, marks=pytest.mark.long)])
def test_no_old_token_was_accepted(
    processes: ProcessGroup, url: str, database_kind: str, store: Store, tmp_path: Path, rotations: int
) -> None:
    add_account(store)
    lift_request_rates(store)
    board = tmp_path / "board"
    for file in (board, notes_beside(board)):
        file.touch(mode=0o600)
    with several(2, tmp_path, url, make_ring()) as gateways:
        urls = [gateway.url for gateway in gateways]
        done = processes.run(take_part, url, urls, sign_in(store), board, rotations)
    made = done[0][1]
    reads = [each for reader, _ in done for each in reader]
    old = [each for each in reads if each.token + 1 < len(made) and each.began > made[each.token + 1].acknowledged]
    late = [each for each in old if each.status == 200]
    good = [each for each in reads if each.token + 1 == len(made) or each.ended < made[each.token + 1].asked]
    print(
        f"BAR R10-http-{database_kind} {FULL - 1} readers, {rotations} rotations: {len(reads)} reads, "
        f"{len(old)} with an old token, {len(late)} late accepts"
    )
    assert len(old) > rotations
    assert {each.status for each in old} <= {401, 429}
    assert len(good) > rotations
    assert {each.status for each in good} == {200}
