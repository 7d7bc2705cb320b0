"""Malformed and hostile SSH sessions, each made from a seed: before the key exchange, at the sign-in, and after it."""

import asyncio
import contextlib
import random
import struct
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import asyncssh
from asyncssh.packet import Byte, String, UInt32

HOST: Final = "127.0.0.1"
ELSEWHERE: Final = "127.0.0.2"
"""The address of those whose sign-ins fail: the others are not to wait for it."""
VERSION: Final = b"SSH-2.0-x\r\n"
MSG_DISCONNECT, MSG_IGNORE, MSG_KEXINIT = 1, 2, 20
MSG_USERAUTH_REQUEST, MSG_USERAUTH_INFO_RESPONSE = 50, 61
MSG_GLOBAL_REQUEST, MSG_CHANNEL_OPEN = 80, 90
MSG_CHANNEL_WINDOW_ADJUST, MSG_CHANNEL_DATA, MSG_CHANNEL_EOF, MSG_CHANNEL_CLOSE, MSG_CHANNEL_REQUEST = (
    93,
    94,
    96,
    97,
    98,
)
REQUESTS: Final = (
    *(b"pty-req", b"env", b"shell", b"exec", b"subsystem", b"window-change", b"signal", b"exit-status", b"x11-req"),
    *(b"auth-agent-req@openssh.com", b"break", b"xon-xoff", b"keepalive@openssh.com", b"", b"\xff" * 40),
)
CHANNELS: Final = (b"session", b"direct-tcpip", b"x11", b"auth-agent@openssh.com", b"tun@openssh.com", b"\xff\xfe")
METHODS: Final = (
    b"none",
    b"publickey",
    b"password",
    b"hostbased",
    b"keyboard-interactive",
    b"\xff",
)
COMMANDS: Final = (
    "help",
    "settings show '",
    "$(id)",
    "\x1b]0;owned\x07",
    "admin user list",
    "--help " * 500,
    "\0",
    "é" * 99,
)
TERMINALS: Final = ("dumb", "\x1b]0;owned\x07", "x" * 100_000, "../../etc/passwd", "", "xterm\n")
IMPATIENCE_S: Final = 3.0
"""Seconds after which a client goes, whether or not it was answered."""
GONE: Final = (OSError, EOFError, asyncio.IncompleteReadError, asyncssh.Error, TimeoutError)
"""The errors of a session that the server has closed, as it should."""


class _Client(asyncssh.SSHClient):
    def kbdint_auth_requested(self) -> str:
        return ""

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str]:
        return ["wrong horse"] * len(prompts)


class Abuser:
    """Runs sessions against one server, as a person who has a registered key, and as one who has none."""

    def __init__(self, port: int, key: Path) -> None:
        self._port = port
        self._key = key
        self.counts: dict[str, int] = {}
        """The sessions of each kind."""

    async def run(self, seeds: Sequence[int], at_once: int) -> None:
        """One session for each seed. Raises what is no error of a session that was closed."""
        waiting = iter(seeds)

        async def work() -> None:
            for seed in waiting:
                await self._session(random.Random(seed))

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())

    async def _session(self, rng: random.Random) -> None:
        kinds: tuple[tuple[Callable[[random.Random], Awaitable[None]], int], ...] = (
            (self._version, 16),
            (self._key_exchange, 28),
            (self._packet, 16),
            (self._sign_in, 10),
            (self._messages, 6),
            (self._requests, 8),
            (self._channels, 4),
            (self._command, 5),
            (self._terminal, 3),
            (self._data, 4),
            (self._drawer, 4),
        )
        (kind,) = rng.choices([each for each, _ in kinds], [weight for _, weight in kinds])
        self.counts[kind.__name__] = self.counts.get(kind.__name__, 0) + 1
        with contextlib.suppress(*GONE):
            async with asyncio.timeout(IMPATIENCE_S):
                await kind(rng)

    # -- before the key exchange is done ----------------------------------------------------------------------

    async def _raw(self, rng: random.Random, payload: bytes) -> None:
        """Send bytes in pieces, and go: after the answer, at once, or with a reset."""
        reader, writer = await asyncio.open_connection(HOST, self._port)
        try:
            for piece in _pieces(rng, payload):
                writer.write(piece)
                await writer.drain()
            if rng.random() < 0.7:
                writer.write_eof()
                await reader.read()
            elif rng.random() < 0.5:
                await reader.read(1)
        finally:
            writer.transport.abort() if rng.random() < 0.3 else writer.close()

    async def _version(self, rng: random.Random) -> None:
        line = rng.choice(
            (
                b"",
                b"GET / HTTP/1.1\r\n\r\n",
                b"SSH-1.99-x\r\n",
                b"SSH-2.0-" + b"x" * 70_000,
                b"\0" * 4096,
                b"SSH-2.0-\r\n",
            )
        )
        await self._raw(rng, _mutated(rng, line or VERSION) + rng.randbytes(rng.randrange(200)))

    async def _key_exchange(self, rng: random.Random) -> None:
        await self._raw(rng, VERSION + _framed(rng, _mutated(rng, _kexinit(rng))) + _after(rng))

    async def _packet(self, rng: random.Random) -> None:
        length = rng.choice((0, 1, 5, 12, 35_000, 262_144, 0x7FFFFFFF, 0xFFFFFFFF, rng.randrange(2**32)))
        packet = struct.pack("!IB", length, rng.randrange(256)) + rng.randbytes(rng.choice((0, 16, 4096, 100_000)))
        start = _framed(rng, _kexinit(rng)) if rng.random() < 0.5 else b""
        await self._raw(rng, VERSION + start + packet)

    # -- at the sign-in and after it --------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _connected(self, *, has_key: bool = True) -> Any:
        connection, _ = await asyncssh.create_connection(
            _Client,
            HOST,
            self._port,
            local_addr=None if has_key else (ELSEWHERE, 0),
            username="alice",
            known_hosts=None,
            client_keys=[str(self._key)] if has_key else None,
            agent_path=None,
            config=None,
            kex_algs=["curve25519-sha256"],
            encryption_algs=["aes128-ctr"],
        )
        try:
            yield connection
        finally:
            connection.abort()

    async def _sign_in(self, rng: random.Random) -> None:
        flood = _Flood(rng)
        await asyncssh.create_connection(
            lambda: flood,
            HOST,
            self._port,
            local_addr=(ELSEWHERE, 0),
            username=rng.choice(("alice", "", "é" * 300, "x" * 10_000)),
            known_hosts=None,
            client_keys=None,
            agent_path=None,
            config=None,
            kex_algs=["curve25519-sha256"],
            login_timeout=10,
        )

    async def _messages(self, rng: random.Random) -> None:
        async with self._connected() as connection:
            for _ in range(rng.randrange(1, 40)):
                kind = rng.choice(
                    (MSG_GLOBAL_REQUEST, MSG_CHANNEL_OPEN, MSG_IGNORE, MSG_KEXINIT, rng.randrange(1, 256))
                )
                connection.send_packet(kind, rng.randbytes(rng.randrange(200)))
            await connection.wait_closed() if rng.random() < 0.5 else await asyncio.sleep(0)

    async def _requests(self, rng: random.Random) -> None:
        async with self._connected() as connection:
            process = await connection.create_process("help", encoding=None)
            number = _number_of(process.channel)
            for _ in range(rng.randrange(1, 40)):
                request = (String(rng.choice(REQUESTS)), bytes([rng.randrange(256)]), rng.randbytes(rng.randrange(60)))
                connection.send_packet(MSG_CHANNEL_REQUEST, number, *request)
            if rng.random() < 0.5:
                connection.send_packet(MSG_CHANNEL_CLOSE, number)
                connection.send_packet(MSG_CHANNEL_EOF, number)
            await process.wait_closed()

    async def _channels(self, rng: random.Random) -> None:
        async with self._connected() as connection:
            for number in range(rng.choice((1, 50, 1000))):
                window = UInt32(rng.choice((0, 1, 2**32 - 1)))
                opening = (String(rng.choice(CHANNELS)), UInt32(number), window, UInt32(rng.choice((0, 1, 2**32 - 1))))
                connection.send_packet(MSG_CHANNEL_OPEN, *opening, rng.randbytes(rng.randrange(40)))
            await connection.wait_closed()

    async def _command(self, rng: random.Random) -> None:
        async with self._connected() as connection:
            process = await connection.create_process(
                rng.choice(COMMANDS), encoding=None, window=rng.choice((1, 2**31))
            )
            if rng.random() < 0.5:
                process.channel.pause_reading()
                return
            await process.wait()

    async def _terminal(self, rng: random.Random) -> None:
        async with self._connected() as connection:
            size = (rng.randrange(2**32), rng.randrange(2**32))
            process = await connection.create_process(term_type=rng.choice(TERMINALS), term_size=size, encoding=None)
            process.channel.change_terminal_size(*size)
            await process.wait()

    async def _data(self, rng: random.Random) -> None:
        async with self._connected() as connection:
            process = await connection.create_process("account password", encoding=None)
            number = _number_of(process.channel)
            for _ in range(rng.randrange(1, 30)):
                connection.send_packet(MSG_CHANNEL_WINDOW_ADJUST, number, UInt32(2**32 - 1))
                connection.send_packet(MSG_CHANNEL_DATA, number, String(rng.randbytes(rng.choice((0, 1, 30_000)))))
            if rng.random() < 0.5:
                connection.send_packet(MSG_CHANNEL_EOF, number)
                connection.send_packet(MSG_CHANNEL_DATA, number, String(b"after the end"))
            await process.wait_closed()

    async def _drawer(self, rng: random.Random) -> None:
        """SFTP packets of every kind and length (draft-ietf-secsh-filexfer-02, 3), or the old protocol of scp."""
        async with self._connected() as connection:
            if rng.random() < 0.3:
                command = rng.choice(("scp -f ../../etc/passwd", "scp -t /tmp/planted", "scp -r -f .", "scp -f '"))
                process = await connection.create_process(command, encoding=None)
                process.stdin.write(rng.randbytes(rng.randrange(100)))
            else:
                process = await connection.create_process(subsystem="sftp", encoding=None)
                if rng.random() < 0.8:
                    process.stdin.write(UInt32(5) + Byte(1) + UInt32(3))
                for _ in range(rng.randrange(1, 60)):
                    body = Byte(rng.choice((3, 4, 5, 11, 16, 200, rng.randrange(256)))) + rng.randbytes(
                        rng.randrange(80)
                    )
                    process.stdin.write(UInt32(rng.choice((len(body),) * 6 + (0, 2**32 - 1))) + body)
            if rng.random() < 0.5:
                process.stdin.write_eof()
            await process.wait_closed()


class _Flood(_Client):
    """Asks to be let in by every method and with every kind of nonsense, as soon as it may."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._connection: asyncssh.SSHClientConnection | None = None

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        self._connection = conn

    def kbdint_auth_requested(self) -> str | None:  # type: ignore[override]
        rng = self._rng
        if self._connection is not None:
            for _ in range(rng.randrange(1, 60)):
                who = (
                    String(rng.choice((b"alice", b"\xff"))),
                    String(rng.choice((b"ssh-connection", b"ssh-userauth", b""))),
                )
                method = String(rng.choice(METHODS))
                self._connection.send_packet(MSG_USERAUTH_REQUEST, *who, method, rng.randbytes(rng.randrange(100)))
                self._connection.send_packet(MSG_USERAUTH_INFO_RESPONSE, UInt32(rng.randrange(3)), Byte(0))
        return None


def _number_of(channel: "asyncssh.SSHClientChannel[bytes]") -> bytes:
    """The server's number of a channel. Raises ConnectionResetError for one that is closed already."""
    if channel._send_chan is None:
        raise ConnectionResetError
    return UInt32(channel._send_chan)


def _kexinit(rng: random.Random) -> bytes:
    names = (
        *(b"curve25519-sha256,ext-info-c", b"ssh-ed25519", b"aes128-ctr,chacha20-poly1305@openssh.com", b"aes128-ctr"),
        *(b"hmac-sha2-256-etm@openssh.com", b"hmac-sha2-256-etm@openssh.com", b"none", b"none", b"", b""),
    )
    lists = b"".join(String(rng.choice((name, name, name, b"x" * 5000, b",,,"))) for name in names)
    return bytes([MSG_KEXINIT]) + rng.randbytes(16) + lists + bytes(5)


def _after(rng: random.Random) -> bytes:
    """The bytes that follow the first packet: a key exchange with a bad point, other messages, or nothing."""
    return b"".join(
        _framed(
            rng,
            bytes([rng.choice((30, 21, 50, 80, 90, rng.randrange(256)))]) + String(rng.randbytes(rng.choice((0, 32)))),
        )
        for _ in range(rng.randrange(4))
    )


def _framed(rng: random.Random, payload: bytes) -> bytes:
    """A packet before encryption (RFC 4253, 6)."""
    padding = 8 - (len(payload) + 5) % 8
    padding += 8 * (padding < 4)
    return struct.pack("!IB", len(payload) + padding + 1, padding) + payload + rng.randbytes(padding)


def _mutated(rng: random.Random, data: bytes) -> bytes:
    """`data` with some bytes changed, cut out or repeated."""
    changed = bytearray(data)
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(changed) + 1)
        match rng.randrange(4):
            case 0:
                changed[at : at + 1] = rng.randbytes(1)
            case 1:
                del changed[at : at + rng.randrange(8)]
            case 2:
                changed[at:at] = rng.randbytes(rng.randrange(8))
            case _:
                changed[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"))
    return bytes(changed)


def _pieces(rng: random.Random, data: bytes) -> Sequence[bytes]:
    if rng.random() < 0.6 or len(data) < 2:
        return [data]
    cut = rng.randrange(1, len(data))
    return [data[:cut], data[cut:]]
