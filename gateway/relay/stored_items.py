"""Refuses ids of what the model server keeps: files, answers, pictures and voices of any account."""

from typing import NoReturn

from gateway.problems import OpenAiProblem


def check_stored_items(messages: object, field: str = "messages", *, skips_tool_input: bool = False) -> None:
    """Refuse ids of what the model server keeps: all accounts share the gateway's key, so it would be read by any.

    `skips_tool_input`: the `input` of a `tool_use` is an object of the client's own, as in Anthropic's form. Raises
    `OpenAiProblem` 400, which names `field`.
    """
    rest = [messages]
    while rest:
        value = rest.pop()
        if isinstance(value, list):
            rest += value
        elif isinstance(value, dict):
            if skips_tool_input and value.get("type") == "tool_use":
                value = {key: inner for key, inner in value.items() if key != "input"}
            rest += value.values()
            for key, inner in value.items():
                _check_stored(_folded(key), inner, field)


def _check_stored(name: str, value: object, field: str) -> None:
    """Refuse a member of a message, whose name is `_folded`, that names a stored file, answer or picture."""
    if value is None:
        return
    if name == "fileid":
        refuse_field(
            f"{_subject(field)} a file by its file_id, which is never passed on: it could be another account's. "
            "Send the content itself, as file_data or as an image_url.",
            field,
        )
    if name == "audio" and _has_id(value):
        refuse_field(
            f"{_subject(field)} an earlier answer by the id of its audio, which is never passed on: it could be "
            "another account's. Send its transcript, as the content of the message.",
            field,
        )
    if name == "uuid":
        refuse_field(
            f"{_subject(field)} a picture by its uuid, which is never passed on: the model server keeps one picture "
            "for it, which could be another account's. Leave it out, and send the picture itself.",
            field,
        )


def check_voice(audio: object) -> None:
    """Refuse a voice that somebody has made."""
    if isinstance(audio, dict) and any(_folded(key) == "voice" and _has_id(value) for key, value in audio.items()):
        refuse_field(
            "audio names a voice by its id, which is never passed on: it could be another account's. Name one of the "
            "model server's own voices, such as alloy.",
            "audio",
        )


def _has_id(value: object) -> bool:
    return isinstance(value, dict) and any(_folded(key) == "id" and value[key] is not None for key in value)


def _folded(name: str) -> str:
    """Some servers read names in any case, and without underscores (protobuf's JSON)."""
    return name.casefold().replace("_", "")


def _subject(field: str) -> str:
    return "The messages name" if field == "messages" else f"The {field} names"


def refuse_field(sentence: str, param: str) -> NoReturn:
    """Raise `OpenAiProblem` 400."""
    raise OpenAiProblem(400, sentence, param=param)
