"""The parts of an address that the Bark app shows, and what in one is refused."""

import pytest

from store.bark_address import LEVELS, OPTIONS, parse_bark_url
from store.errors import InvalidUrl

KEY = "Ab1Cd2Ef3Gh4Ij5Kl6Mn7P"
URL = f"https://api.day.app/{KEY}"


@pytest.mark.parametrize(
    ("url", "server", "key"),
    [
        (URL, "https://api.day.app", KEY),
        (f"{URL}/", "https://api.day.app", KEY),
        (f"{URL}/A title/and a body".replace(" ", "%20"), "https://api.day.app", KEY),
        (f"http://10.0.0.5:8080/behind/a/proxy/{KEY}/Title", "http://10.0.0.5:8080/behind/a/proxy", KEY),
        ("https://bark.example.com/chosen_key-1", "https://bark.example.com", "chosen_key-1"),
        ("https://example.com/bark/chosen_key-1", "https://example.com/bark", "chosen_key-1"),
    ],
)
def test_server_and_key_are_told_from_a_path_before_and_a_text_behind(url: str, server: str, key: str) -> None:
    address = parse_bark_url(url)
    assert (address.server, address.device_key, address.options) == (server, key, ())
    assert key not in repr(address)


def test_the_options_are_kept_in_their_order() -> None:
    query = "sound=alarm&level=timeSensitive&group=quota%20warnings&call=1"
    assert parse_bark_url(f"{URL}/Title?{query}").options == (
        ("sound", "alarm"),
        ("level", "timeSensitive"),
        ("group", "quota warnings"),
        ("call", "1"),
    )


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_may_be_chosen(level: str) -> None:
    assert parse_bark_url(f"{URL}?level={level}").options == (("level", level),)


@pytest.mark.parametrize("path", ["", "/", "/push", "/abc", "/two%20words", "/" + "k" * 101])
def test_an_address_without_a_device_key_is_refused(path: str) -> None:
    with pytest.raises(InvalidUrl, match="Enter the address with the device key") as refused:
        parse_bark_url(f"https://api.day.app{path}")
    assert refused.value.field == "bark_url"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("body=spent", "There is no option called body."),
        ("levle=active", "There is no option called levle. Did you mean level?"),
        ("level=loud", "The level is one of active, timeSensitive, passive, critical."),
        ("level=", "The value of level cannot be used."),
        ("sound=a%07b", "The value of sound cannot be used."),
        ("group=" + "g" * 201, "The value of group cannot be used."),
        ("sound=alarm&sound=bell", "An option stands in the address twice."),
    ],
)
def test_a_query_that_would_change_what_is_said_is_refused(query: str, sentence: str) -> None:
    with pytest.raises(InvalidUrl) as refused:
        parse_bark_url(f"{URL}?{query}")
    assert str(refused.value) == sentence
    assert refused.value.field == "bark_url"


@pytest.mark.parametrize("name", OPTIONS)
def test_a_value_of_the_longest_size_is_one(name: str) -> None:
    value = "active" if name == "level" else "v" * 200
    assert parse_bark_url(f"{URL}?{name}={value}").options == ((name, value),)
