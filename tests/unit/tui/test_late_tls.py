"""asyncio without `ssl`: a console starts without it, and TLS works once something has imported it."""

import subprocess
import sys
import textwrap

from tests.harness.loaded_modules import loaded_by

BEGIN = "from tui.late_tls import import_asyncio\nimport_asyncio()\n"


def said(program: str) -> str:
    """The output of a new interpreter that imports asyncio without `ssl` and runs `program`."""
    command = [sys.executable, "-W", "error", "-c", BEGIN + textwrap.dedent(program)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.strip()


def test_a_start_loads_no_ssl() -> None:
    assert {"asyncio.base_events", "asyncio.sslproto"} <= loaded_by(BEGIN) - {"ssl", "_ssl"} == loaded_by(BEGIN)


def test_the_console_is_opened_without_ssl() -> None:
    program = """
        from screens import app, entry
        from tui.local_account import LocalAccount
        from tui.store_location import Options

        async def show(options):
            shown = app.GatekeyApp(LocalAccount(options))
            async with shown.run_test():
                await shown.account.wait_until_open()
                await shown.workers.wait_for_complete()

        def run(options):
            import asyncio
            asyncio.run(show(options))
            return 0

        app.run_console = run
        entry.open_console(Options(demo=True))
    """
    loaded = loaded_by("import tui.late_tls\ntui.late_tls.import_asyncio()\n" + textwrap.dedent(program))
    assert "screens.settings.security" in loaded
    assert "ssl" not in loaded


def test_asyncio_refuses_tls_without_it() -> None:
    program = """
        import asyncio
        import socket

        async def connect(address):
            try:
                await asyncio.open_connection(*address, ssl=True)
            except RuntimeError as error:
                print(error)
            else:
                print("a connection")

        with socket.create_server(("127.0.0.1", 0)) as server:
            asyncio.run(connect(server.getsockname()))
    """
    assert said(program) == "stdlib ssl module not available"


def test_asyncio_speaks_tls_once_another_module_imports_it() -> None:
    program = """
        import asyncio
        from tests.fakes.certificate_authority import Authority

        async def echo(reader, writer):
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()
            await writer.wait_closed()

        async def talk(authority):
            server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=authority.serve("127.0.0.1"))
            async with server:
                address = server.sockets[0].getsockname()
                reader, writer = await asyncio.open_connection(*address, ssl=authority.trust())
                writer.write(b"over TLS\\n")
                print((await reader.readline()).decode().strip(), writer.get_extra_info("cipher") is not None)
                writer.close()
                await writer.wait_closed()

        async def distrust(authority):
            server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=Authority().serve("127.0.0.1"))
            async with server:
                try:
                    await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=authority.trust())
                except OSError as error:
                    print(type(error).__name__)

        authority = Authority()
        asyncio.run(talk(authority))
        asyncio.run(distrust(authority))
    """
    assert said(program).splitlines() == ["over TLS True", "SSLCertVerificationError"]


def test_ssl_stays_where_it_was_imported_before() -> None:
    program = "import ssl\n" + BEGIN + "import asyncio.base_events\nassert asyncio.base_events.ssl is ssl"
    assert "ssl" in loaded_by(program)
