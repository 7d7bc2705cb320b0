"""Speech and transcripts: the tokens that they are held for, and charged where the model server reports none."""

import json
import struct
from typing import Any

import pytest

from gateway.problems import OpenAiProblem
from gateway.relay.audio_requests import recording_prompt, transcript_output, transcript_usage
from gateway.relay.endpoints import SPEECH
from gateway.relay.form_body import FormFile
from gateway.relay.request import Call, parse_request
from gateway.relay.usage_report import ReportedUsage


def speech(**body: Any) -> Call:
    return parse_request(SPEECH, "application/json", json.dumps({"model": "tts", **body}).encode())


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        ({"input": "Hello"}, (5, 8)),
        ({"input": "Hello", "instructions": "Softly"}, (11, 8)),
        ({"input": "Hello", "speed": 4}, (5, 2)),
        ({"input": "Hello", "speed": 0.25}, (5, 30)),
        ({"input": "价", "speed": None}, (1, 5)),
        ({"input": "\ud800"}, (1, 2)),
        ({}, (0, 0)),
    ],
)
def test_a_speech_was_counted_by_its_text(body: dict[str, Any], tokens: tuple[int, int]) -> None:
    call = speech(**body)
    assert (call.prompt_tokens, call.length.tokens) == tokens


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("input", ["Hello"]),
        ("input", None),
        ("instructions", 3),
        ("speed", 0),
        ("speed", 5),
        ("speed", True),
        ("speed", "1"),
        ("voice", {"id": "voice_1"}),
        ("stream_format", "sse"),
        ("stream", True),
    ],
)
def test_a_speech_of_unknown_length_or_voice_was_refused(field: str, value: Any) -> None:
    with pytest.raises(OpenAiProblem) as caught:
        speech(**{"input": "Hello", field: value})
    assert caught.value.param == field


def header(samples: int, channels: int, bits: int = 16, kind: int = 1, **forged: int) -> bytes:
    size = forged.get("size", channels * -(-bits // 8))
    rate = forged.get("rate", samples * size % 2**32)
    numbers = struct.pack("<HHIIHH", kind, channels, samples, rate, size, bits)
    return b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + numbers + b"data"


@pytest.mark.parametrize(
    ("head", "size", "seconds"),
    [
        (b"OggS", 120_000, 60),
        (header(16_000, 1), 1_920_000, 60),
        (header(48_000, 2, 32), 384_000 * 60, 60),
        (header(96_000, 8, 32), 384_000 * 60, 60),
        (header(8_000, 1, 12), 16_000 * 60, 60),
        (header(1, 1, 8), 120_000, 60),
        (header(4_000_000_000, 1, 8, size=60_000), 120_000, 60),
        (header(8_000, 1, 8, size=48), 120_000, 60),
        (header(8_000, 1, 8, rate=384_000), 120_000, 60),
        (header(16_000, 1, kind=17), 120_000, 60),
        (header(16_000, 1)[:30], 120_000, 60),
    ],
)
def test_a_recording_was_counted_by_its_bytes(head: bytes, size: int, seconds: int) -> None:
    body = {"file": [FormFile(size, head)]}
    assert (recording_prompt(body), transcript_output(body).tokens) == (1_000 * seconds // 60, 5 * seconds)
    assert recording_prompt({"file": body["file"] * 2, "prompt": "abc"}) == 2_001


@pytest.mark.parametrize(
    ("document", "usage"),
    [
        ({"usage": {"type": "tokens", "input_tokens": 14, "output_tokens": 9, "total_tokens": 23}}, (14, 9)),
        ({"usage": {"type": "duration", "seconds": 3}, "text": "Hello"}, (50, 2)),
        ({"usage": {"type": "duration", "seconds": 3.01}, "duration": 900}, (51, 0)),
        ({"duration": 8.4, "text": ""}, (140, 0)),
        ({"duration": "8.4", "text": 3}, (140, 0)),
        ({"duration": 0}, None),
        ({"duration": -1}, None),
        ({"duration": True}, None),
        ({"duration": "long"}, None),
        ({"duration": 10**400}, None),
        ({"duration": float("nan")}, None),
        ({"usage": "?"}, None),
        ({"text": "Hello"}, None),
    ],
)
def test_a_report_of_a_transcript_was_read(document: Any, usage: tuple[int, int] | None) -> None:
    assert transcript_usage(document) == (None if usage is None else ReportedUsage(*usage))
