"""uvicorn's HTTP protocol with timeouts for everything a client can delay.

uvicorn waits without limit for a request, the rest of its head, its body, and for a client that reads no response. A
thousand inactive clients could occupy all connections.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any, Final, cast

import h11
from starlette.responses import Response
from starlette.types import Scope
from uvicorn._types import HTTPScope
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol, RequestResponseCycle

from gateway.break_off import offer_break_off
from gateway.connection_register import ConnectionRegister
from gateway.held_head import HeadHolder
from gateway.paths import RELAY_REQUEST_LINE, is_relayed
from gateway.problems import HttpProblem, openai_problem, problem
from gateway.strict_http import StrictConnection

HEAD_TIMEOUT_S: Final = 10.0
"""Seconds for a whole head, from the start of the connection or from the first byte of a later request."""
BODY_RATE_WINDOW_S: Final = 10.0
"""Seconds over which the rate of a body is measured."""
MIN_BODY_BYTES_PER_S: Final = 8 * 1024
"""Minimum rate of a body, a third of what a phone reaches at the edge of its network."""
BODY_TIMEOUT_S: Final = 300.0
"""Seconds for a whole body: 32 MiB at 1 Mbit/s."""
WRITE_STALL_TIMEOUT_S: Final = 90.0
"""Seconds in which a client must read some of the data that is ready for it."""
_MAX_HEAD_BYTES: Final = 64 * 1024
_HEAD_PREFIX_BYTES: Final = 256
"""Bytes of a head from which the format of an error response is chosen."""
_UNREADABLE: Final = "The request could not be read as HTTP/1.1."
_LATE_HEAD: Final = "The request did not come in within 10 seconds."
_LATE_BODY: Final = "The body came in too slowly."
_TOO_MANY_CONNECTIONS: Final = "There are too many connections at the moment. Try again in a few seconds."
_RESET: Final = struct.pack("ii", 1, 0)
"""The value of SO_LINGER with which a close resets the connection (socket(7))."""
_CAN_SEND_RESPONSE: Final = (h11.IDLE, h11.SEND_RESPONSE)


class GuardedProtocol(H11Protocol):
    """uvicorn's protocol with a connection register, timeouts, strict framing, and errors in JSON."""

    def __init__(
        self,
        *args: Any,
        connections: ConnectionRegister,
        make_framing: Callable[[int], h11.Connection] = StrictConnection,
        **kwargs: Any,
    ) -> None:
        """`make_framing` is called with the bytes that a head may have (`gateway.serve.http_framing`)."""
        super().__init__(*args, **kwargs)
        self.conn = make_framing(_MAX_HEAD_BYTES)
        self._register = connections
        self._head = b""
        self._received = 0
        self._received_before = 0
        self._body_until = 0.0
        self._unsent = 0
        self._holder: HeadHolder | None = None
        self._deadline: asyncio.TimerHandle | None = None
        """Timer for the head or the body, whichever is expected."""
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if not self._register.admit(self, self.client[0] if self.client else ""):
            self._refuse(HttpProblem(503, _TOO_MANY_CONNECTIONS, headers={"Retry-After": "5"}))
            return
        self._set_deadline(HEAD_TIMEOUT_S, self._on_head_timeout)

    def connection_lost(self, exc: Exception | None) -> None:
        self._register.remove(self)
        self._clear_deadline()
        if self._write_timer is not None:
            self._write_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return  # the rest of a refused request is ignored
        if self.conn.their_state is h11.IDLE:
            self._head = (self._head + data)[:_HEAD_PREFIX_BYTES]
            if self._deadline is None:
                self._set_deadline(HEAD_TIMEOUT_S, self._on_head_timeout)
        self._received += len(data)
        super().data_received(data)

    def handle_events(self) -> None:
        before, was_in_body = self.cycle, self.conn.their_state is h11.SEND_BODY
        super().handle_events()
        if self.cycle is not before:
            offer_break_off(cast("Scope", self.scope), self._break_off)
            self._hold_head()
            self._register.mark_busy(self)
            self._clear_deadline()
            self._head = b""
        if self.transport.is_closing():
            self._clear_deadline()
        elif self.conn.their_state is h11.SEND_BODY:
            if self._deadline is None:
                self._body_until = self.loop.time() + BODY_TIMEOUT_S
                self._watch_body()
        elif self.conn.their_state is not h11.IDLE:
            self._clear_deadline()
        elif was_in_body and self.cycle is before:  # the body of a request that was answered before its end
            self._clear_deadline()
            self._await_request()

    def _hold_head(self) -> None:
        cycle: Any = self.cycle
        cycle.transport = self._holder = HeadHolder(self.transport, self.loop)
        self._holder.offer(cast("Scope", self.scope))

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.our_state is h11.IDLE and not self.transport.is_closing():
            self._await_request()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words say less
        self._refuse(HttpProblem(400, _UNREADABLE))

    def close_idle(self) -> None:
        """Close this idle connection in favour of another client's."""
        self._clear_deadline()
        self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_write()

    def resume_writing(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        super().resume_writing()

    def _should_upgrade(self) -> bool:
        return False  # no upgrade is supported, and uvicorn logs two lines about each attempt

    def _await_request(self) -> None:
        """Wait for the next request, whose first bytes may be here already."""
        self._register.mark_idle(self)
        self._unset_keepalive_if_required()
        if begun := self.conn.trailing_data[0]:
            self._head = begun[:_HEAD_PREFIX_BYTES]
            self._set_deadline(HEAD_TIMEOUT_S, self._on_head_timeout)
        else:
            idle = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
            self.timeout_keep_alive_task = idle

    def _set_deadline(self, seconds: float, late: Any) -> None:
        self._clear_deadline()
        self._deadline = self.loop.call_later(seconds, late)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _watch_body(self) -> None:
        self._received_before = self._received
        left = self._body_until - self.loop.time()
        self._set_deadline(min(BODY_RATE_WINDOW_S, max(left, 0)), self._check_body_rate)

    def _check_body_rate(self) -> None:
        is_late = self.loop.time() >= self._body_until
        # While the gateway itself has paused reading, a slow body is not the client's fault.
        is_slow = (
            not self.flow.read_paused
            and self._received - self._received_before < MIN_BODY_BYTES_PER_S * BODY_RATE_WINDOW_S
        )
        if is_late or is_slow:
            self._refuse(HttpProblem(408, _LATE_BODY))
        else:
            self._watch_body()

    def _on_head_timeout(self) -> None:
        if self._head:
            self._refuse(HttpProblem(408, _LATE_HEAD))
        else:
            self.close_idle()

    def _watch_write(self) -> None:
        self._unsent = self.transport.get_write_buffer_size()
        self._write_timer = self.loop.call_later(WRITE_STALL_TIMEOUT_S, self._check_write_progress)

    def _check_write_progress(self) -> None:
        if self.transport.get_write_buffer_size() >= self._unsent:
            self.transport.abort()
        else:
            self._watch_write()

    def _refuse(self, error: HttpProblem) -> None:
        """Send an error response and close. The application is told that its client has disconnected."""
        self._clear_deadline()
        if self.conn.our_state in _CAN_SEND_RESPONSE:
            self._send_response(self._error_response(error))
            self.transport.close()
        else:
            self.transport.abort()
        self._end_cycle()

    def _break_off(self) -> None:
        """Send what was written, and close without the end of the response.

        In HTTP/1.0 the end of the connection is that of the response (RFC 9112, 6.3), so the connection is reset. Some
        proxies ask in that version.
        """
        self._clear_deadline()
        if self._holder is not None:
            self._holder.flush()
        if self.scope["http_version"] == "1.0":
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.transport.abort()
        else:
            self.transport.close()
        self._end_cycle()

    def _end_cycle(self) -> None:
        """Tell the application that its client has disconnected."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()

    def _error_response(self, error: HttpProblem) -> Response:
        scope: HTTPScope | None = self.scope
        if self._head or scope is None:
            is_openai = RELAY_REQUEST_LINE.match(self._head) is not None
        else:
            is_openai = is_relayed(scope["path"])
        return openai_problem(error) if is_openai else problem(error)

    def _send_response(self, answer: Response) -> None:
        headers = [*self.server_state.default_headers, *answer.raw_headers, (b"connection", b"close")]
        status, body = answer.status_code, bytes(answer.body)
        if self.conn.our_state is h11.SEND_RESPONSE and self.scope["method"] == "HEAD":
            body = b""
        for event in (
            h11.Response(status_code=status, headers=headers, reason=STATUS_PHRASES[status]),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
