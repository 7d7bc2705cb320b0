"""OpenAI's own SDK, unchanged: moderations, speech, transcriptions, and pictures that are edited."""

import io
import wave
from typing import Final

import openai
import pytest

from store.money import MICRO_PER_USD
from store.values.billing import ModelPrice
from store.values.usage import Kind
from tests.fakes.model_answers import SOUND, WORDS, field_of
from tests.harness.gateway_client import MODEL
from tests.harness.sdk_gateway import Setup

ANSWER: Final = "".join(WORDS)
WHISPER: Final = ModelPrice("whisper-1", 6 * MICRO_PER_USD, 0)
"""0.006 dollars a minute."""
PNG: Final = ("horse.png", b"\x89PNG\r\n\x1a\n" + bytes(100), "image/png")


RETIRED: Final = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
"""The SDK warns of translations and variations, which OpenAI itself has retired. Other model servers serve them."""


def recording(seconds: int) -> io.BytesIO:
    """Silence of 32,000 bytes a second, and a header that says so."""
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(32_000 * seconds))
    sound.name = "speech.wav"
    sound.seek(0)
    return sound


@pytest.mark.parametrize("names_model", [True, False])
def test_a_moderation_was_charged_for_its_input(setup: Setup, *, names_model: bool) -> None:
    setup.store.pricing.set(ModelPrice("omni-moderation-latest", MICRO_PER_USD, 0))
    model = "omni-moderation-latest" if names_model else openai.omit
    moderation = setup.sdk().moderations.create(input="Say hello to Alice.", model=model)
    assert not moderation.results[0].flagged
    assert setup.models.asked[0].body == {"model": "omni-moderation-latest", "input": "Say hello to Alice."}
    (entry,) = setup.log()
    assert (entry.kind, entry.model, entry.completion_tokens) == (Kind.CONSUMPTION, "omni-moderation-latest", 0)
    assert 6 <= entry.prompt_tokens == entry.cost_micro_usd <= 30
    assert "it was counted here" in entry.detail
    assert setup.spent() == entry.cost_micro_usd


def test_a_speech_was_passed_on_as_sound_and_charged_by_its_text(setup: Setup) -> None:
    speech = setup.sdk().audio.speech.create(model=MODEL, voice="alloy", input="Hello, Alice.", speed=0.5)
    assert speech.content == SOUND
    assert speech.response.headers["content-type"] == "audio/mpeg"
    (entry,) = setup.log()
    assert (entry.kind, entry.prompt_tokens, entry.completion_tokens) == (Kind.CONSUMPTION, 13, 39)
    assert setup.spent() == 13 + 2 * 39
    assert setup.models.asked[0].body == {"model": MODEL, "input": "Hello, Alice.", "voice": "alloy", "speed": 0.5}
    with pytest.raises(openai.BadRequestError) as refused:
        setup.sdk().audio.speech.create(model=MODEL, voice={"id": "voice_1"}, input="Hello")
    assert refused.value.param == "voice"
    with setup.sdk().audio.speech.with_streaming_response.create(model=MODEL, voice="alloy", input="Hi") as streamed:
        assert b"".join(streamed.iter_bytes()) == SOUND


@RETIRED
def test_a_transcript_was_charged_by_its_duration(setup: Setup) -> None:
    setup.store.pricing.set(WHISPER)
    transcript = setup.sdk().audio.transcriptions.create(model="whisper-1", file=recording(3), language="en")
    assert transcript.text == ANSWER
    asked = setup.models.asked[0]
    assert (field_of(asked, "model"), field_of(asked, "language")) == ("whisper-1", "en")
    assert recording(3).read() in asked.body
    (entry,) = setup.log()
    assert (entry.kind, entry.status, entry.prompt_tokens, entry.cost_micro_usd) == (Kind.CONSUMPTION, "ok", 50, 300)
    translation = setup.sdk().audio.translations.create(model="whisper-1", file=recording(3))
    assert translation.text == ANSWER
    assert setup.spent() == 600


def test_a_transcript_in_plain_text_was_charged_by_the_length_of_the_recording(setup: Setup) -> None:
    setup.store.pricing.set(WHISPER)
    sdk = setup.sdk()
    for response_format in ("text", "srt", "vtt"):
        said = sdk.audio.transcriptions.create(model="whisper-1", file=recording(6), response_format=response_format)
        assert str(said) == ANSWER
    assert [(entry.prompt_tokens, "counted here" in entry.detail) for entry in setup.log()] == [(101, True)] * 3
    sdk.audio.transcriptions.create(model="whisper-1", file=("a.ogg", bytes(12_000)), response_format="text")
    assert setup.log()[0].prompt_tokens == 100


def test_a_large_recording_was_passed_on_untouched(setup: Setup) -> None:
    setup.store.pricing.set(WHISPER)
    sound = recording(100)
    setup.sdk().audio.transcriptions.create(model="WHISPER-1", file=sound)
    asked = setup.models.asked[0]
    assert sound.getvalue() in asked.body
    assert (field_of(asked, "model"), setup.log()[0].model) == ("whisper-1", "whisper-1")


@RETIRED
def test_edited_pictures_were_priced_like_drawings(setup: Setup) -> None:
    setup.store.pricing.set(ModelPrice("painter", 0, 0, 40_000))
    sdk = setup.sdk()
    edited = sdk.images.edit(model="painter", image=[PNG, PNG], mask=PNG, prompt="A horse", n=2)
    assert edited.data is not None
    assert len(edited.data) == 2
    varied = sdk.images.create_variation(model="painter", image=PNG)
    assert varied.data is not None
    assert [(entry.kind, entry.images, entry.cost_micro_usd) for entry in setup.log()] == [
        (Kind.DRAWING, 1, 40_000),
        (Kind.DRAWING, 2, 80_000),
    ]
    assert setup.spent() == 120_000
    assert setup.models.asked[0].body.count(PNG[1]) == 3


@RETIRED
def test_none_was_served_without_a_price_or_without_money(setup: Setup) -> None:
    sdk = setup.sdk()
    calls = (
        lambda model: sdk.moderations.create(model=model, input="Hello"),
        lambda model: sdk.audio.speech.create(model=model, voice="alloy", input="Hello"),
        lambda model: sdk.audio.transcriptions.create(model=model, file=recording(1)),
        lambda model: sdk.audio.translations.create(model=model, file=recording(1)),
        lambda model: sdk.images.edit(model=model, image=PNG, prompt="A horse"),
        lambda model: sdk.images.create_variation(model=model, image=PNG),
    )
    for call in calls:
        with pytest.raises(openai.PermissionDeniedError) as unpriced:
            call("gpt-unpriced")
        assert unpriced.value.code == "model_not_priced"
    setup.store.quota.adjust("alice", set_to=1, actor="test")
    for call in calls:
        with pytest.raises(openai.RateLimitError) as poor:
            call(MODEL)
        assert poor.value.code == "insufficient_quota"
    assert setup.models.asked == []
