"""Speech and transcriptions: what a request is held for, and charged where the model server reports no tokens.

The prices are per token. A minute of a recording counts as 1,000 input tokens: a model at 0.006 dollars a minute has an
input price of 6 dollars per million. A speech counts one input token for each character, as models do that are priced
by characters, and three output tokens for each two bytes of its text: one token is 50 ms, and fifteen letters a second
are slow speech.
"""

import math
import struct
from collections.abc import Mapping
from typing import Any, Final

from gateway.relay.form_body import FormFile
from gateway.relay.prompt_estimate import BYTES_PER_TOKEN
from gateway.relay.request import OutputLength
from gateway.relay.stored_items import refuse_field
from gateway.relay.usage_report import MAX_REPORTED_TOKENS, ReportedUsage, parse_usage

SPEECH_FIELDS: Final = frozenset(
    {"input", "instructions", "model", "response_format", "speed", "stream_format", "user", "voice"}
)
SPEECH_ANSWERS: Final = (
    "application/octet-stream",
    "audio/aac",
    "audio/flac",
    "audio/mpeg",
    "audio/ogg",
    "audio/opus",
    "audio/pcm",
    "audio/wav",
)
TRANSLATION_FIELDS: Final = frozenset({"file", "model", "prompt", "response_format", "stream", "temperature", "user"})
TRANSCRIPTION_FIELDS: Final = TRANSLATION_FIELDS | {
    "chunking_strategy",
    "include",
    "keywords",
    "known_speaker_names",
    "known_speaker_references",
    "language",
    "languages",
    "timestamp_granularities",
    # faster-whisper and vLLM
    "hotwords",
    "seed",
    "vad_filter",
}
TRANSCRIPT_ANSWERS: Final = ("text/plain", "application/x-subrip", "text/srt", "text/vtt")
TOKENS_PER_MINUTE: Final = 1_000
"""Input tokens of one minute of a recording."""
_BYTES_PER_SECOND: Final = 2_000
"""The rate that is assumed for a recording whose bytes alone are known: 16 kbit/s, as messengers record speech. Most
recordings have more, and are counted as longer than they are. Opus may have less (RFC 6716: from 6 kbit/s)."""
_MAX_BYTES_PER_SECOND: Final = 384_000
"""The highest rate that a header is believed: uncompressed sound of 48 kHz, two channels, 32 bits."""
_WORDS_PER_SECOND_TOKENS: Final = 5
"""Output tokens of one second of fast speech."""
_MAX_SECONDS: Final = 1_000_000
_MAX_SPEED, _MIN_SPEED = 4.0, 0.25
_BYTES_PER_TEXT_TOKEN: Final = 4


def check_speech(body: dict[str, Any]) -> None:
    """Refuse a speech whose length is not known, or a voice that somebody has made. Raises `OpenAiProblem` 400."""
    for name in ("input", "instructions"):
        if not isinstance(body.get(name, ""), str):
            refuse_field(f"{name} is a text.", name)
    if body.get("voice") is not None and not isinstance(body["voice"], str):
        refuse_field(
            "voice names a voice by its id, which is never passed on: it could be another account's. Name one of the "
            "model server's own voices, such as alloy.",
            "voice",
        )
    if body.get("stream_format") not in (None, "audio"):
        refuse_field("A speech is passed on as audio. Leave stream_format out.", "stream_format")
    speed = body.get("speed")
    if speed is not None and (type(speed) not in (int, float) or not _MIN_SPEED <= speed <= _MAX_SPEED):
        refuse_field(f"speed is a number from {_MIN_SPEED} to {_MAX_SPEED}.", "speed")


def speech_prompt(body: dict[str, Any]) -> int:
    """Input tokens of a speech: its characters."""
    return len(body.get("input", "")) + len(body.get("instructions", ""))


def speech_output(body: dict[str, Any]) -> OutputLength:
    """Output length of a speech, from the bytes of its text: scripts with fewer letters have more bytes for each."""
    size = len(body.get("input", "").encode(errors="replace"))
    return OutputLength(1, math.ceil(size * 3 / (2 * (body.get("speed") or 1))))


def check_recording(body: dict[str, Any]) -> None:
    """Refuse a request without a recording. Raises `OpenAiProblem` 400."""
    if not body.get("file"):
        refuse_field("Send the recording as file.", "file")


def recording_prompt(body: dict[str, Any]) -> int:
    """Input tokens of a recording and of the text beside it."""
    text = len(str(body.get("prompt", "")).encode())
    return _tokens_of(_seconds(body)) + -(-text // BYTES_PER_TOKEN)


def transcript_output(body: dict[str, Any]) -> OutputLength:
    """Output length of a transcript."""
    return OutputLength(1, math.ceil(_seconds(body) * _WORDS_PER_SECOND_TOKENS))


def transcript_usage(document: Mapping[str, Any], *, has_completion: bool = True) -> ReportedUsage | None:
    """The usage of a transcript: its tokens, or those of the duration that it reports; None if it has neither."""
    reported = parse_usage(document, has_completion=has_completion)
    if reported is not None:
        return reported
    usage = document.get("usage")
    seconds = _duration(usage.get("seconds") if isinstance(usage, dict) else None)
    seconds = _duration(document.get("duration")) if seconds is None else seconds
    if seconds is None:
        return None
    text = document.get("text")
    size = len(text.encode(errors="replace")) if isinstance(text, str) else 0
    return ReportedUsage(_tokens_of(seconds), min(-(-size // _BYTES_PER_TEXT_TOKEN), MAX_REPORTED_TOKENS))


def _seconds(body: Mapping[str, Any]) -> float:
    """The longest time that the recordings of a form can have."""
    files: list[FormFile] = body["file"]
    return sum(file.size / _bytes_per_second(file) for file in files)


def _bytes_per_second(file: FormFile) -> int:
    """As the header of an uncompressed WAV file says, or the fewest that are usual.

    The header: RIFF, the size, WAVE, `fmt `, its size, the format (1: PCM), the channels, the samples per second, the
    bytes per second, the bytes of a sample of all channels, the bits per sample. A decoder computes the last but one
    from the others, so a header that contradicts itself is not believed.
    """
    head = file.head
    if head[:4] != b"RIFF" or head[8:16] != b"WAVEfmt " or head[20:22] != b"\x01\x00" or len(head) < 36:
        return _BYTES_PER_SECOND
    fields: tuple[int, int, int, int, int] = struct.unpack("<HIIHH", head[22:36])
    channels, samples, byte_rate, block_size, bits = fields
    rate = samples * channels * -(-bits // 8)
    if rate != samples * block_size or rate != byte_rate:
        return _BYTES_PER_SECOND
    return max(_BYTES_PER_SECOND, min(rate, _MAX_BYTES_PER_SECOND))


def _duration(value: object) -> float | None:
    """Seconds, also as text, as some servers write them."""
    try:
        seconds = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds <= _MAX_SECONDS else None


def _tokens_of(seconds: float) -> int:
    return math.ceil(seconds * TOKENS_PER_MINUTE / 60)
