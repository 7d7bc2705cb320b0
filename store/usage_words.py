"""The words for the kinds of calls, the same in the console and on the command line."""

from typing import Final

from store.values.usage import Kind

KIND_WORDS: Final = {Kind.CONSUMPTION: "call", Kind.ERROR: "error", Kind.DRAWING: "image", Kind.TASK: "task"}
