"""Forms that two parsers could read differently are refused; those of the usual libraries are passed on as they are."""

from email import message_from_bytes
from email.policy import HTTP
from typing import Any, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.problems import OpenAiProblem
from gateway.relay import form_body
from gateway.relay.body_parser import BodyParser
from gateway.relay.endpoints import EDITS, TRANSCRIPTIONS, VARIATIONS
from gateway.relay.form_body import FormFile, parse_form
from gateway.relay.request import Call, Endpoint, parse_request
from store.store import Store
from tests.fakes.scripted_model_server import ModelServer, answer
from tests.harness.gateway_client import client_of, make_relayed
from tests.harness.stores import sign_in

TYPE: Final = "multipart/form-data; boundary=XyZ"
FILE: Final = b'--XyZ\r\nContent-Disposition: form-data; name="file"; filename="a.ogg"\r\n\r\nsound\r\n'
NAMED: Final = b'--XyZ\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-priced\r\n'
END: Final = b"--XyZ--\r\n"


def field(name: str, value: str = "x", more: str = "") -> bytes:
    return f'--XyZ\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'.encode()


def parsed(raw: bytes, media_type: str = TYPE, endpoint: Endpoint = TRANSCRIPTIONS) -> Call:
    return parse_request(endpoint, media_type, raw)


def refused(raw: bytes, media_type: str = TYPE, endpoint: Endpoint = TRANSCRIPTIONS) -> OpenAiProblem:
    with pytest.raises(OpenAiProblem) as caught:
        parsed(raw, media_type, endpoint)
    return caught.value


def test_a_form_was_read_and_passed_on_as_it_is() -> None:
    raw = FILE + field("timestamp_granularities[]", "word") * 2 + NAMED + field("prompt", "Grüße") + END
    form = parse_form(TYPE, raw, frozenset({"file"}))
    assert form.body == {
        "file": [FormFile(5, b"sound")],
        "timestamp_granularities": ["word", "word"],
        "model": "gpt-priced",
        "prompt": "Grüße",
    }
    call = parsed(raw)
    assert (call.model, call.content, call.streams) == ("gpt-priced", raw, False)
    renamed = call.rewritten("GPT-Priced-2", None)
    assert renamed.content == raw.replace(b"gpt-priced", b"GPT-Priced-2")
    assert call.rewritten("gpt-priced", None) is call


@pytest.mark.parametrize(
    "media_type",
    [
        'multipart/form-data; boundary="XyZ"',
        "Multipart/Form-Data;boundary=XyZ",
    ],
)
def test_a_boundary_was_found(media_type: str) -> None:
    assert parsed(FILE + NAMED + END, media_type).model == "gpt-priced"


def test_what_the_usual_libraries_write_was_read() -> None:
    request = httpx.Request(
        "POST",
        "http://x",
        data={"model": "gpt-priced", "temperature": "0"},
        files={"file": ("straße \\ 1.wav", b"\r\n--\r\n\x00\xff", "audio/wav")},
    )
    body = request.read().replace(b"\\", b"")
    assert parsed(body, request.headers["content-type"]).model == "gpt-priced"
    okhttp = FILE.replace(b"\r\n\r\nsound", b"\r\nContent-Type: audio/ogg\r\nContent-Length: 5\r\n\r\nsound")
    aiohttp = NAMED.replace(b'"model"\r\n', b'"model"\r\nContent-Type: text/plain; charset=utf-8\r\n')
    assert parsed(okhttp + aiohttp + END[:-2]).model == "gpt-priced"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"--XyZ--\r\n",
        FILE + NAMED,
        FILE + NAMED + b"--XyZ",
        FILE + NAMED + END + b"epilogue",
        b"preamble\r\n" + FILE + NAMED + END,
        (FILE + NAMED + END).replace(b"\r\n", b"\n"),
        FILE.replace(b"sound", b'so\n--XyZ\nContent-Disposition: form-data; name="model"\n\nother') + NAMED + END,
        FILE.replace(b"sound", b"--XyZ") + NAMED + END,
        FILE.replace(b"--XyZ\r\n", b"--XyZ \r\n") + NAMED + END,
        FILE + NAMED.replace(b"\r\n\r\n", b"\r\nX-Other: 1\r\n\r\n") + END,
        FILE + NAMED.replace(b"\r\n\r\n", b"\r\nContent-Type: text/plain; charset=utf-16\r\n\r\n") + END,
        FILE + NAMED.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n") + END,
        FILE + NAMED.replace(b"\r\n\r\n", b'\r\ncontent-disposition: form-data; name="n"\r\n\r\n') + END,
        FILE + NAMED.replace(b"Content-Disposition:", b"Content-Disposition :") + END,
        FILE + NAMED.replace(b"form-data;", b"form-data;\r\n ") + END,
        FILE + NAMED.replace(b'"model"', b"model") + END,
        FILE + NAMED.replace(b'"model"', b'"mod\\"el"') + END,
        FILE + NAMED.replace(b'"model"', b'"model"; name="other"') + END,
        FILE + NAMED.replace(b'"model"', b"\"x\"; name*=utf-8''model") + END,
        FILE + NAMED.replace(b'"model"', b'"MODEL"') + NAMED + END,
        FILE + NAMED.replace(b"Disposition", b"Disposition\xff") + END,
        FILE.replace(b"a.ogg", b'a\\"; name="model') + NAMED + END,
        NAMED + FILE * form_body.MAX_PARTS + END,
        b"--XyZ\r\n" + b"x: y\r\n" * 1_000 + b"\r\n" + END,
    ],
    ids=range(25),
)
def test_a_form_that_parsers_could_read_differently_was_refused(raw: bytes) -> None:
    problem = refused(raw)
    assert (problem.status, problem.param) == (400, None)
    assert "could not be read" in str(problem)


@pytest.mark.parametrize(
    ("more", "param"),
    [
        (NAMED, "model"),
        (field("model", "other"), "model"),
        (field("model[]", "other"), "model"),
        (field("model", "x", '; filename="m"'), "model"),
        (field("file", "x"), "file"),
        (field("stream", "true"), "stream"),
        (field("stream", "1"), "stream"),
        (field("stream[]", "true"), "stream"),
        (field("service_tier"), "service_tier"),
        (field("models[]"), "models"),
        (field("unheard_of"), "unheard_of"),
        (field("prompt", "x").replace(b"\r\n\r\nx", b"\r\n\r\n\xff"), "prompt"),
        (field("prompt") * 2, "prompt"),
    ],
)
def test_a_field_that_is_refused_was_named(more: bytes, param: str) -> None:
    assert refused(FILE + NAMED + more + END).param == param


@pytest.mark.parametrize("name", ["", "x" * 201, " gpt-priced", "gpt-priced ", "gpt\x00priced"])
def test_a_model_was_named_as_elsewhere(name: str) -> None:
    assert refused(FILE + field("model", name) + END).param == "model"


def test_what_is_needed_was_asked_for() -> None:
    assert refused(NAMED + END).param == "file"
    assert refused(NAMED + END, endpoint=EDITS).param == "image"
    assert refused(FILE + END).param == "model"
    for media_type in (
        "application/json",
        "multipart/form-data",
        f"{TYPE}; boundary=other",
        "multipart/mixed; boundary=XyZ",
        f"{TYPE}\xa0",
        TYPE.replace("; ", "\x85;"),
    ):
        assert refused(FILE + NAMED + END, media_type).status == 415


@pytest.mark.parametrize("count", ["0", "129", "two", "2.0", "-1", "١", ""])
def test_pictures_were_counted_as_elsewhere(count: str) -> None:
    image = FILE.replace(b'"file"', b'"image"')
    assert refused(image + NAMED + field("n", count) + END, endpoint=VARIATIONS).param == "n"
    call = parsed(image + image.replace(b'"image"', b'"image[]"') + NAMED + field("n", "3") + END, endpoint=VARIATIONS)
    assert (call.pictures, call.length.answers, call.prompt_tokens) == (3, 3, 16_000)


PARTS: Final = [
    FILE,
    NAMED,
    field("prompt"),
    END,
    b"--XyZ",
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b"--",
    b'name="model"',
    b"x",
    b"\xff",
]


@given(st.lists(st.sampled_from(PARTS), max_size=8).map(b"".join))
def test_another_parser_read_the_same(raw: bytes) -> None:
    try:
        form = parse_form(TYPE, raw, frozenset({"file"})).body
    except OpenAiProblem:
        return
    found = dict[str, Any]()
    for part in message_from_bytes(f"Content-Type: {TYPE}\r\n\r\n".encode() + raw, policy=HTTP).walk():
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            name = str(part.get_param("name", header="content-disposition"))
            is_file = part.get_filename() is not None
            text = FormFile(len(content), content[:64]) if is_file else content.decode()
            found[name] = [*found.get(name, ()), text] if is_file else text
    assert found == form


async def test_a_large_form_was_read_by_the_process_alike() -> None:
    reader = BodyParser()
    raw = FILE.replace(b"sound", b"s" * 100_000) + NAMED + END
    assert await reader.parse(TRANSCRIPTIONS, TYPE, raw, frozenset()) == parsed(raw)
    await reader.aclose()


async def transcribed(store: Store, key: str, reply: httpx.Response) -> tuple[httpx.Response, httpx.Request]:
    """The client's response, and the request to the model server."""
    models = ModelServer(lambda _: reply)
    async with client_of(store, token=key, upstream=models) as client:
        headers = {"content-type": TYPE}
        response = await client.post("/v1/audio/transcriptions", content=FILE + NAMED + END, headers=headers)
    return response, models.requests[0]


async def test_an_answer_that_is_a_page_was_passed_on_as_text(store: Store) -> None:
    key = make_relayed(store)
    for media_type, passed_as in (("text/html", "text/plain"), ("text/vtt; charset=x", "text/vtt"), ("", "text/plain")):
        reply = httpx.Response(200, headers={"content-type": media_type}, content=b"<p>")
        response, request = await transcribed(store, key, reply)
        assert (response.status_code, response.content) == (200, b"<p>")
        assert response.headers["content-type"].startswith(passed_as)
        assert request.headers["content-type"] == TYPE


async def test_an_empty_answer_and_an_error_cost_nothing(store: Store) -> None:
    key = make_relayed(store)
    for reply in (httpx.Response(200, content=b""), answer({"error": {"message": "No."}})):
        response, _ = await transcribed(store, key, reply)
        assert response.status_code == 502
    state = store.quota.state(sign_in(store))
    assert (state.used_micro_usd, state.held_micro_usd) == (0, 0)
