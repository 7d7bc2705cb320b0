"""Internationalized host names, converted to and from punycode."""

from store.text import is_sanitized


def ascii_host(host: str) -> str:
    """`host` in ASCII: letters of other scripts in punycode (UTS 46 and RFC 5891). An ASCII host is unchanged.

    Raises ValueError for text that is not a host name, and for full-width letters and digits: `１２７.0.0.1`
    would be an IP address in disguise.
    """
    if host.isascii():
        return host
    if not is_sanitized(host):  # UTS 46 would drop invisible characters silently
        raise ValueError(host)
    import idna

    encoded = idna.encode(host, uts46=True).decode("ascii")
    if "xn--" not in encoded:
        raise ValueError(host)
    return encoded


def readable_host(host: str) -> str:
    """The Unicode form of a host: `xn--bcher-kva.example` becomes `bücher.example`. Raises ValueError."""
    import idna

    return idna.decode(host)
