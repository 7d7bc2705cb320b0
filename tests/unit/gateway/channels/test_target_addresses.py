"""Every address the store saves can be used by its channel: a later refusal would come too late."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.channels.bark import push_endpoint
from gateway.channels.mail import one_address
from gateway.channels.post import parse_server_url
from gateway.outbound import parse_web_url
from store import inputs
from store.addresses import AllowList
from store.errors import DeliveryFailed, InvalidInput, InvalidUrl
from store.secret_fields import StoredSecret
from store.sections import NotificationSettings

T = TypeVar("T")

URLS = st.one_of(
    st.from_regex(r"https?://[a-zA-Z0-9._\[\]:%-]{1,20}(:[0-9]{0,5})?(/[!-~]{0,20})?", fullmatch=True),
    st.from_regex(r"https?://(my_gotify|[a-z]{1,5}\.example|127\.0\.0\.1|\[::1\])(/[!-~]{0,30})?", fullmatch=True),
)
HOSTS = st.from_regex(r"(\[[0-9a-fA-F:.%]{1,20}\]|[a-zA-Z0-9._-]{1,20}):[0-9]{1,6}", fullmatch=True)


def saved(check: Callable[[], T]) -> T | None:
    """The stored address, or None if the store refuses it."""
    try:
        return check()
    except (InvalidInput, ValueError):
        return None


@given(URLS)
def test_a_url_that_was_saved_could_be_asked_for(typed: str) -> None:
    if (url := saved(lambda: inputs.check_url(typed, field="webhook_url"))) is not None:
        parse_web_url(url)


@given(URLS)
def test_a_gotify_server_that_was_saved_could_be_asked_for(typed: str) -> None:
    if (section := saved(NotificationSettings(gotify_url=typed).checked)) is not None:
        parse_server_url(section.gotify_url)


@given(st.one_of(URLS, st.from_regex(r"https://bark\.example/[A-Za-z0-9_?%/.-]{0,20}", fullmatch=True)))
def test_a_bark_address_that_was_saved_could_be_pushed_to(typed: str) -> None:
    secret = NotificationSettings(bark_url=StoredSecret(new=typed))
    if (section := saved(secret.checked)) is not None and section.bark_url.new:
        push_endpoint(section.bark_url.new)


@given(st.one_of(st.emails(), st.from_regex(r"[a-z.+]{1,5}@[a-z0-9._-]{1,20}", fullmatch=True)))
def test_an_address_that_was_saved_could_be_written_to(typed: str) -> None:
    if (address := saved(lambda: inputs.check_email(typed))) is not None:
        assert one_address(address) == address


@given(HOSTS)
def test_a_host_that_was_allowed_was_on_the_list(typed: str) -> None:
    if (entry := saved(lambda: inputs.check_host_port(typed))) is not None:
        host, _, port = entry.rpartition(":")
        allow = AllowList.read([entry])
        assert allow.covers(host, int(port))
        assert allow.unreadable == ()


@pytest.mark.parametrize("url", ["https://gotify.example/?token=A", "https://gotify.example/message?", "http://g?"])
def test_a_gotify_server_with_a_query_was_refused_when_it_was_typed(url: str) -> None:
    with pytest.raises(InvalidUrl, match="Leave the question mark and what follows out") as caught:
        NotificationSettings(gotify_url=url).checked()
    assert caught.value.field == "gotify_url"
    with pytest.raises(DeliveryFailed, match="no question mark"):
        parse_server_url(url)


def test_an_unknown_option_of_a_bark_address_was_refused_when_it_was_typed() -> None:
    with pytest.raises(InvalidUrl, match=r"no option called sond\. Did you mean sound\?"):
        NotificationSettings(bark_url=StoredSecret(new="https://bark.example/abcd1234?sond=bell")).checked()
