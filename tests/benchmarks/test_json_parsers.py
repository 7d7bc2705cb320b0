"""A short run of the benchmark of JSON parsers."""

import json

from tests.benchmarks.json_parsers import ODD, documents, measure, outcome, parsers, table


def test_each_parser_was_measured_on_documents_of_the_stated_size() -> None:
    texts = {name: text for name, text in documents().items() if len(text) < 1_000_000}
    assert [len(text) // 1000 for text in texts.values()] == [0, 19, 24, 0]
    found = measure(parsers(), texts, rounds=1)
    assert all(value > 0 for values in found.values() for value in values)
    assert len(table(texts, found)) == len(found) + 1
    assert all(isinstance(json.loads(text), dict) for text in texts.values())


def test_the_documents_show_how_strict_the_gateway_is() -> None:
    ours, lenient = (parser.read for parser in parsers()[:2])
    assert outcome(ours, ODD["an integer of 200 digits"]).startswith("NumberTooLong")
    assert outcome(ours, ODD["NaN"]).startswith("ValueError")
    assert outcome(lenient, ODD["NaN"]) == "{'seed': nan}"
    assert outcome(ours, ODD["UTF-16"]) == "{'user': 'x'}"
    assert outcome(ours, ODD["100,000 levels"]).startswith("RecursionError")
