"""JSON parsers: the standard library's as the gateway uses it, beside orjson and msgspec.

python -m tests.benchmarks.json_parsers [--rounds N]

First the CPU of one parse, and of writing the parsed document again, in microseconds: medians of rounds in turns. Then
what each does with documents on which parsers differ. orjson and msgspec are no requirement of the gateway: those that
are not installed are skipped.
"""

import argparse
import importlib
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import Any, Final, NamedTuple

from gateway.json_text import loads, loads_lenient
from gateway.relay.endpoints import CHAT
from gateway.relay.request import _to_json, parse_request
from tests.benchmarks.gateway import CHAT as QUESTION
from tests.benchmarks.gateway import MODEL
from tests.benchmarks.gateway_sides import _chat

ROUNDS: Final = 7
SECONDS: Final = 0.03
"""CPU of one turn, at least; a long document has one parse in each."""
_TEXT: Final = "What a gateway does is plain: it takes a call, asks whether it is paid for, and sends it on. " * 5
_SHOWN: Final = 44
"""Characters of an outcome that are printed."""


class Parser(NamedTuple):
    """One way to read a document, and to write it again."""

    name: str
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes] | None = None


def documents() -> dict[str, bytes]:
    """The measured documents, by name: bodies of calls, and an answer."""
    tokens = {"model": MODEL, "input": list(range(1000, 5000))}
    return {
        "chat": json.dumps(QUESTION).encode(),
        "conversation": _conversation(20_000),
        "5 MB": _conversation(5_000_000),
        "4,000 tokens": json.dumps(tokens).encode(),
        "answer": _chat(),
    }


def _conversation(size: int) -> bytes:
    messages = [{"role": ("user", "assistant")[n % 2], "content": _TEXT} for n in range(size // (len(_TEXT) + 40))]
    return json.dumps({"model": MODEL, "messages": messages, "max_tokens": 100}).encode()


ODD: Final[Mapping[str, bytes]] = {
    "two members of one name": b'{"model":"a","model":"b"}',
    "an integer of 20 digits": b'{"seed":99999999999999999999}',
    "an integer of 200 digits": b'{"seed":' + b"9" * 200 + b"}",
    "an integer of 5,000 digits": b'{"seed":' + b"9" * 5000 + b"}",
    "a fraction of 5,000 digits": b'{"seed":0.' + b"1" * 5000 + b"}",
    "1e999": b'{"seed":1e999}',
    "NaN": b'{"seed":NaN}',
    "-Infinity": b'{"seed":-Infinity}',
    "a lone surrogate, escaped": b'{"user":"\\ud800"}',
    "a lone surrogate, as bytes": b'{"user":"\xed\xa0\x80"}',
    "bytes that are not UTF-8": b'{"user":"\xff"}',
    "UTF-16": '{"user":"x"}'.encode("utf-16"),
    "UTF-8 with a byte order mark": '{"user":"x"}'.encode("utf-8-sig"),
    "900 levels": b"[" * 900 + b"]" * 900,
    "100,000 levels": b"[" * 100_000 + b"]" * 100_000,
}
"""Documents on which parsers may differ."""


def parsers() -> list[Parser]:
    """The parsers that are installed, ours first. Says which are not."""
    found = [
        Parser("json, as for requests", loads, _to_json),
        Parser("json, as for answers", loads_lenient, _to_json),
        Parser("json.loads", json.loads, lambda document: json.dumps(document, separators=(",", ":")).encode()),
    ]
    for name in ("orjson", "msgspec"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            print(f"{name} is not installed, and skipped: pip install {name}")
            continue
        label = f"{name} {metadata.version(name)}"
        if name == "orjson":
            found.append(Parser(label, module.loads, module.dumps))
            continue
        found.append(Parser(label, module.json.Decoder().decode, module.json.Encoder().encode))
        fields = [("model", str), ("stream", bool | None, None), ("max_tokens", int | None, None)]
        found.append(
            Parser(f"{name}, a Struct of 3 fields", module.json.Decoder(module.defstruct("Head", fields)).decode)
        )
    return found


def cost(act: Callable[[], object]) -> float:
    """Microseconds of CPU of `act`."""
    done, started = 0, time.process_time()
    while (spent := time.process_time() - started) < SECONDS:
        for _ in range(max(done, 1)):  # the clock is asked seldom
            act()
        done += max(done, 1)
    return spent / done * 1e6


def measure(found: Sequence[Parser], texts: Mapping[str, bytes], rounds: int) -> dict[str, list[float]]:
    """The medians by line of the table, in the order of `texts`. The last line is all of `parse_request`."""
    acts: dict[str, list[Callable[[], object]]] = {}
    for parser in found:
        acts[f"read: {parser.name}"] = [lambda p=parser, t=text: p.read(t) for text in texts.values()]  # type: ignore[misc]
    for parser in found:
        if (write := parser.write) is not None:
            parsed = map(parser.read, texts.values())
            acts[f"write: {parser.name}"] = [lambda w=write, d=document: w(d) for document in parsed]  # type: ignore[misc]
    whole = (text for name, text in texts.items() if name in ("chat", "conversation", "5 MB"))
    acts["parse_request, all of it"] = [
        lambda t=text: parse_request(CHAT, "application/json", t)  # type: ignore[misc]
        for text in whole
    ]
    turns: dict[str, list[list[float]]] = {line: [] for line in acts}
    for _ in range(rounds):
        for line, each in acts.items():
            turns[line].append([cost(act) for act in each])
    return {line: [statistics.median(column) for column in zip(*rows, strict=True)] for line, rows in turns.items()}


def outcome(read: Callable[[bytes], Any], text: bytes) -> str:
    """The result of a parser for `text`, shortened."""
    try:
        said = repr(read(text))
    except (ValueError, RecursionError) as error:
        said = f"{type(error).__name__} {error}".strip()
    return said if len(said) <= _SHOWN else said[: _SHOWN - 1] + "…"


def table(texts: Mapping[str, bytes], found: Mapping[str, Sequence[float]]) -> list[str]:
    """A line for each parser and way, a column for each document."""
    lines = ["".join(["us of CPU".ljust(40), *(f"{f'{name}, {len(text):,} B':>26}" for name, text in texts.items())])]
    lines += ["".join([line.ljust(40), *(f"{value:>26,.1f}" for value in values)]) for line, values in found.items()]
    return lines


def main() -> None:
    """Print both tables."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=ROUNDS, help="how often the parsers take turns")
    rounds: int = options.parse_args().rounds
    found, texts = parsers(), documents()
    print(*table(texts, measure(found, texts, rounds)), sep="\n")
    for name, text in ODD.items():
        print(f"\n{name}")
        for parser in found:
            print(f"    {parser.name:32}{outcome(parser.read, text)}")


if __name__ == "__main__":
    main()
