"""Reads a form (multipart/form-data, RFC 7578) that is passed on as it is.

Parsers of forms differ, and a field that the gateway reads must be the one that the model server reads. So a form is
refused unless all parsers read it alike: one boundary, in every place where it occurs; parts with plain headers; names
in small letters; each field once; text in UTF-8.
"""

import re
from collections.abc import Set
from typing import Any, Final, NamedTuple

from gateway.problems import OpenAiProblem
from gateway.relay.stored_items import refuse_field

MAX_PARTS: Final = 100
_MAX_HEADER_BYTES: Final = 4096
_HEAD_BYTES: Final = 64
"""Bytes of a file that are kept, to tell its format."""
_MEDIA_TYPE: Final = re.compile(
    r"multipart/form-data\s*;\s*boundary=(?:\"([0-9A-Za-z'()+_,./:=?-]{1,70})\"|([0-9A-Za-z'+_.-]{1,70}))",
    re.IGNORECASE | re.ASCII,
)
_DISPOSITION: Final = re.compile(
    r'form-data; name="([a-z_]+)(\[[a-z_]*\])?"(; filename="([^"\\]*)"(?:; filename\*=UTF-8\'\'[\w%.~!$&+-]*)?)?'
)
_TEXT_TYPE: Final = re.compile(r'text/plain(?:\s*;\s*charset="?utf-8"?)?', re.IGNORECASE)
_LINE_END: Final = b"\r\n"
_HEADER_END: Final = b"\r\n\r\n"
_UNREADABLE: Final = "The form could not be read: {}. Send it as multipart/form-data, as the usual libraries write it."


class FormFile(NamedTuple):
    """A file of a form."""

    size: int
    """In bytes."""
    head: bytes
    """Its first bytes."""


class Form(NamedTuple):
    """The fields of a form."""

    body: dict[str, Any]
    """The text of each field, or a list of `FormFile`. A name has no brackets here."""
    model_at: int
    """The offset of the text of `model` in the body, in bytes."""


class _Part(NamedTuple):
    name: str
    brackets: str
    is_file: bool
    start: int
    end: int


def parse_form(media_type: str, raw: bytes, files: Set[str]) -> Form:
    """The fields of the form `raw`; `files` are the names of those that may be files.

    Raises `OpenAiProblem` 400 or 415.
    """
    found = _MEDIA_TYPE.fullmatch(media_type)
    if found is None:
        raise OpenAiProblem(415, "Send the body as multipart/form-data, with its boundary and nothing else.")
    body, model_at = dict[str, Any](), 0
    for part in _parts(raw, b"--" + (found[1] or found[2]).encode()):
        if part.is_file != (part.name in files):
            refuse_field(f"{part.name} is {'a file' if part.name in files else 'no file'}.", part.name)
        if part.is_file:
            head = raw[part.start : min(part.start + _HEAD_BYTES, part.end)]
            body.setdefault(part.name, []).append(FormFile(part.end - part.start, head))
            continue
        if part.name in body and (not part.brackets or not isinstance(body[part.name], list)):
            refuse_field(f"The form has {part.name} twice.", part.name)
        try:
            text = raw[part.start : part.end].decode()
        except UnicodeDecodeError:
            refuse_field(f"{part.name} is not UTF-8.", part.name)
        if part.brackets:
            body.setdefault(part.name, []).append(text)
        else:
            body[part.name] = text
            model_at = part.start if part.name == "model" else model_at
    return Form(body, model_at)


def _parts(raw: bytes, delimiter: bytes) -> list[_Part]:
    """The parts between the places of `delimiter`."""
    if not raw.startswith(delimiter + _LINE_END):
        raise _unreadable("it does not begin with its boundary")
    parts, at = list[_Part](), len(delimiter) + len(_LINE_END)
    while True:
        end_of_headers = raw.find(_HEADER_END, at, at + _MAX_HEADER_BYTES)
        if end_of_headers < 0:
            raise _unreadable("a part has no headers, or too long ones")
        start = end_of_headers + len(_HEADER_END)
        end = raw.find(_LINE_END + delimiter, start)
        if end < 0:
            raise _unreadable("it breaks off before its last boundary")
        parts.append(_part(raw[at:end_of_headers], start, end))
        at = end + len(_LINE_END) + len(delimiter)
        if raw[at:] in (b"--", b"--" + _LINE_END):
            break
        if not raw.startswith(_LINE_END, at) or len(parts) >= MAX_PARTS:
            raise _unreadable(f"a boundary ends in neither a line end nor two dashes, or it has over {MAX_PARTS} parts")
        at += len(_LINE_END)
    if raw.count(delimiter) != len(parts) + 1:
        raise _unreadable("its boundary occurs within a part")
    return parts


def _part(headers: bytes, start: int, end: int) -> _Part:
    try:
        lines = headers.decode().split("\r\n")
    except UnicodeDecodeError as error:
        raise _unreadable("a header is not UTF-8") from error
    values = dict[str, str]()
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or name in values or any(letter in line for letter in "\r\n\0") or name != name.strip():
            raise _unreadable("a part has a header twice, or one that is malformed")
        values[name] = value.strip(" \t")
    disposition = _DISPOSITION.fullmatch(values.pop("content-disposition", ""))
    if disposition is None:
        raise _unreadable("a part has no name of small letters, or a file name with a quote or a backslash")
    kind, encoding = values.pop("content-type", ""), values.pop("content-transfer-encoding", "binary")
    values.pop("content-length", None)
    is_file = disposition[3] is not None
    if values or encoding.lower() not in ("binary", "8bit"):
        raise _unreadable("a part has headers beside its name and its type")
    if not is_file and kind and not _TEXT_TYPE.fullmatch(kind):
        raise _unreadable("a field that is no file is not plain text in UTF-8")
    return _Part(disposition[1], disposition[2] or "", is_file, start, end)


def _unreadable(reason: str) -> OpenAiProblem:
    return OpenAiProblem(400, _UNREADABLE.format(reason))
