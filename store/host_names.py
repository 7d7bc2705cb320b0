"""Host names in other scripts than Latin, as resolvers, browsers and mail servers know them."""

from store.text import is_sanitized


def ascii_host(host: str) -> str:
    """`host` in ASCII: letters of other scripts in punycode (UTS 46 and RFC 5891).

    One that is ASCII already is left as it is. Raises ValueError for what is no host name, and for wide forms of
    Latin letters and digits: `１２７.0.0.1` is an address that does not look like one.
    """
    if host.isascii():
        return host
    if not is_sanitized(host):  # the standard leaves out what cannot be seen
        raise ValueError(host)
    import idna

    encoded = idna.encode(host, uts46=True).decode("ascii")
    if "xn--" not in encoded:
        raise ValueError(host)
    return encoded


def readable_host(host: str) -> str:
    """A name in ASCII as people write it: `xn--bcher-kva.example` is `bücher.example`. Raises ValueError."""
    import idna

    return idna.decode(host)
