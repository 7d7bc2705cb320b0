"""The name of the endpoint that a path belongs to: a closed set, whatever paths clients ask for."""

from collections.abc import Iterable
from typing import Final

from starlette.routing import compile_path

OTHER: Final = "other"
"""The name of every path that no endpoint has."""


class EndpointNames:
    """Finds the template of a path, such as `/v1/files/{file_id}`."""

    def __init__(self, templates: Iterable[str]) -> None:
        templates = dict.fromkeys(templates)
        self._exact = {each: each for each in templates if "{" not in each}
        # A model's name may contain slashes.
        self._patterns = [
            (compile_path(each.replace("{model}", "{model:path}"))[0], each) for each in templates if "{" in each
        ]

    def find(self, path: str) -> str:
        """The template that `path` matches, or `OTHER`."""
        if (exact := self._exact.get(path)) is not None:
            return exact
        return next((name for pattern, name in self._patterns if pattern.match(path)), OTHER)
