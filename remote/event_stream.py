"""Server-sent events (HTML Living Standard, 9.2), of which only the data is used."""

from typing import Final

DONE: Final = b"[DONE]"
"""The data of the last event of a chat."""


class EventData:
    """Collects the data of events from the pieces of a stream."""

    def __init__(self) -> None:
        self._rest = b""
        """The bytes behind the last complete line."""
        self._lines: list[bytes] = []
        """The data of the event that is not complete yet."""

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of each event that `piece` completes."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        found = []
        for line in lines:
            bare = line.removesuffix(b"\r")
            if bare.startswith(b"data:"):
                self._lines.append(bare[5:].strip())
            elif not bare:
                found += self.end()
        return found

    def end(self) -> list[bytes]:
        """The data of an event that nothing follows."""
        data, self._lines = b"\n".join(self._lines), []
        return [data] if data else []
