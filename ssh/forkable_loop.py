"""An event loop that a forked process goes on with."""

import asyncio
import selectors


class ForkableLoop(asyncio.SelectorEventLoop):
    """The loop of an application that is made in one process, and lives in those that are forked from it.

    It waits with poll(2): the descriptor of epoll(7) would be one for all of them. Fork in a plain callback, where no
    task is under way.
    """

    def __init__(self) -> None:
        super().__init__(selectors.PollSelector())

    def go_on_in_child(self) -> None:
        """Take the loop over, first thing after the fork: what wakes it is a pair of sockets of its own.

        asyncio has no public name for that (3.11 to 3.13). It takes a loop for stopped in a process that did not start
        it.
        """
        self._close_self_pipe()  # type: ignore[attr-defined]  # not in typeshed
        self._make_self_pipe()  # type: ignore[attr-defined]  # likewise
        asyncio._set_running_loop(self)  # noqa: SLF001
