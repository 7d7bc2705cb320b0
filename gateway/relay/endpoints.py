"""The endpoints of the relay, each as a declaration: its fields, its limits, and the length of its answers."""

from dataclasses import replace
from typing import Any, Final

from gateway.relay.api_form import ApiForm
from gateway.relay.audio_requests import (
    SPEECH_ANSWERS,
    SPEECH_FIELDS,
    TRANSCRIPT_ANSWERS,
    TRANSCRIPTION_FIELDS,
    TRANSLATION_FIELDS,
    check_recording,
    check_speech,
    recording_prompt,
    speech_output,
    speech_prompt,
    transcript_output,
)
from gateway.relay.fields import BATCH_FIELDS, CHAT_FIELDS, COMPLETION_FIELDS, EMBEDDING_FIELDS, IMAGE_FIELDS
from gateway.relay.messages_request import (
    MESSAGE_FIELDS,
    MESSAGE_TOOLS,
    TOKEN_COUNT_FIELDS,
    check_message_request,
    message_output,
)
from gateway.relay.picture_requests import (
    EDIT_FIELDS,
    PICTURE_FILES,
    VARIATION_FIELDS,
    check_pictures,
    image_output,
    picture_prompt,
)
from gateway.relay.request import MAX_CHOICES, MAX_TOKENS, Endpoint, OutputLength, whole_number
from gateway.relay.responses_request import (
    RESPONSE_FIELDS,
    RESPONSE_TOOLS,
    check_batch,
    prepare_response,
    response_output,
)
from store.values.usage import Kind


def chat_output(body: dict[str, Any]) -> OutputLength:
    """Output length of a chat completion."""
    limits = [whole_number(body, name, 1, MAX_TOKENS, 0) for name in ("max_tokens", "max_completion_tokens")]
    # Model servers differ in which of the two they obey.
    return OutputLength(whole_number(body, "n", 1, MAX_CHOICES), max(limits) or None)


def completion_output(body: dict[str, Any]) -> OutputLength:
    """Output length of a text completion, which may have several prompts, and discard all but the best answers."""
    longest = None if body.get("max_tokens") is None else whole_number(body, "max_tokens", 0, MAX_TOKENS)
    choices = max(whole_number(body, "n", 1, MAX_CHOICES), whole_number(body, "best_of", 1, MAX_CHOICES))
    prompt = body.get("prompt")
    several = isinstance(prompt, list) and any(isinstance(part, str | list) for part in prompt)
    return OutputLength(choices * (len(prompt) if isinstance(prompt, list) and several else 1), longest)


def no_output(_: dict[str, Any]) -> OutputLength:
    """No completion tokens."""
    return OutputLength(0, 0)


BATCHES: Final = Endpoint(
    "/batches",
    Kind.TASK,
    may_stream=False,
    length=no_output,
    fields=BATCH_FIELDS,
    model="batch",
    prepare=check_batch,
    resource_field="input_file_id",
)
"""A batch names its models in a file that the relay does not see. It is priced per request as a model named `batch`:
without that price, batches need an account that accepts models without one."""

CHAT: Final = Endpoint(
    "/chat/completions",
    Kind.CONSUMPTION,
    may_stream=True,
    length=chat_output,
    fields=CHAT_FIELDS,
    limits=("max_tokens", "max_completion_tokens"),
)
RESPONSES: Final = Endpoint(
    "/responses",
    Kind.CONSUMPTION,
    may_stream=True,
    length=response_output,
    fields=RESPONSE_FIELDS,
    limits=("max_output_tokens",),
    form=ApiForm.RESPONSES,
    tools=RESPONSE_TOOLS,
    prepare=prepare_response,
    resource_field="previous_response_id",
)
MESSAGES: Final = Endpoint(
    "/messages",
    Kind.CONSUMPTION,
    may_stream=True,
    length=message_output,
    fields=MESSAGE_FIELDS,
    limits=("max_tokens",),
    form=ApiForm.MESSAGES,
    tools=MESSAGE_TOOLS,
    prepare=check_message_request,
)
TOKEN_COUNT: Final = Endpoint(
    "/messages/count_tokens",
    Kind.CONSUMPTION,
    may_stream=False,
    length=no_output,
    fields=TOKEN_COUNT_FIELDS,
    form=ApiForm.MESSAGES,
    tools=MESSAGE_TOOLS,
    prepare=check_message_request,
    charges_tokens=False,
)
"""The model reads nothing here, so a count costs what the price has per request, and no tokens."""
MODERATIONS: Final = Endpoint(
    "/moderations",
    Kind.CONSUMPTION,
    may_stream=False,
    length=no_output,
    fields=frozenset({"input", "model", "user"}),
    default_model="omni-moderation-latest",
)
"""A moderation costs the input that is estimated from its bytes: model servers report none."""
SPEECH: Final = Endpoint(
    "/audio/speech",
    Kind.CONSUMPTION,
    may_stream=False,
    length=speech_output,
    fields=SPEECH_FIELDS,
    prepare=check_speech,
    prompt=speech_prompt,
    other_answers=SPEECH_ANSWERS,
)
TRANSCRIPTIONS: Final = Endpoint(
    "/audio/transcriptions",
    Kind.CONSUMPTION,
    may_stream=False,
    length=transcript_output,
    fields=TRANSCRIPTION_FIELDS,
    form=ApiForm.TRANSCRIPT,
    prepare=check_recording,
    prompt=recording_prompt,
    files=frozenset({"file"}),
    other_answers=TRANSCRIPT_ANSWERS,
)
TRANSLATIONS: Final = replace(TRANSCRIPTIONS, path="/audio/translations", fields=TRANSLATION_FIELDS)
EDITS: Final = Endpoint(
    "/images/edits",
    Kind.DRAWING,
    may_stream=False,
    length=image_output,
    fields=EDIT_FIELDS,
    prepare=check_pictures,
    prompt=picture_prompt,
    files=PICTURE_FILES,
)
VARIATIONS: Final = replace(EDITS, path="/images/variations", fields=VARIATION_FIELDS)
IMAGES: Final = Endpoint(
    "/images/generations", Kind.DRAWING, may_stream=False, length=image_output, fields=IMAGE_FIELDS
)
ENDPOINTS: Final = (
    CHAT,
    Endpoint(
        "/completions",
        Kind.CONSUMPTION,
        may_stream=True,
        length=completion_output,
        fields=COMPLETION_FIELDS,
        limits=("max_tokens",),
    ),
    Endpoint("/embeddings", Kind.CONSUMPTION, may_stream=False, length=no_output, fields=EMBEDDING_FIELDS),
    IMAGES,
    RESPONSES,
    MESSAGES,
    TOKEN_COUNT,
    MODERATIONS,
    SPEECH,
    TRANSCRIPTIONS,
    TRANSLATIONS,
    EDITS,
    VARIATIONS,
    BATCHES,
)
