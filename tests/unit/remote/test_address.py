"""The addresses of a server that are taken, and their form."""

import pytest

from remote.address import parse_server_address
from store.errors import InvalidUrl


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("https://api.example.com", "https://api.example.com"),
        (" https://API.example.com/ ", "https://api.example.com"),
        ("https://api.example.com:443", "https://api.example.com"),
        ("api.example.com", "https://api.example.com"),
        ("api.example.com:8443", "https://api.example.com:8443"),
        ("https://api.example.com/v1", "https://api.example.com"),
        ("https://api.example.com/console/personal", "https://api.example.com"),
        ("https://example.com/gate/way/", "https://example.com/gate/way"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ("http://localhost:3000/", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("localhost:3000", "http://localhost:3000"),
        ("127.0.0.1", "http://127.0.0.1"),
    ],
)
def test_an_address_is_taken_in_one_form(typed: str, url: str) -> None:
    address = parse_server_address(typed)
    assert address.url == url
    assert str(address) == url


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "http://api.example.com",
        "http://10.0.0.1:3000",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "ftp://api.example.com",
        "https://user:word@api.example.com",
        "https://api.example.com#part",
        "https://api.example.com?next=https://other.example",
        "https://127.1",
        "https://api.example.com:0",
        "https://api .example.com",
        "https://\N{RIGHT-TO-LEFT OVERRIDE}moc.example",
    ],
)
def test_another_address_is_refused(typed: str) -> None:
    with pytest.raises(InvalidUrl) as caught:
        parse_server_address(typed)
    assert caught.value.field == "server"


def test_http_to_another_machine_has_to_be_insisted_on() -> None:
    with pytest.raises(InvalidUrl, match="--insecure-http"):
        parse_server_address("http://api.example.com")
    address = parse_server_address("http://api.example.com", insecure_http=True)
    assert (address.is_encrypted, address.is_loopback, address.origin) == (False, False, "http://api.example.com")
