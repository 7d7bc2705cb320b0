"""The npm package `oidc-provider` as a running program, and the person who signs in there with a browser."""

import fcntl
import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import IO, Final

import httpx

HERE: Final = Path(__file__).parent

PATIENCE: Final = 60.0
"""Seconds for an answer, or for the provider's end: a machine at work on other things is slow, not broken."""
MOST_PAGES: Final = 12
"""A person who has seen this many pages is going in circles."""


class RunningProvider:
    """One provider on the loopback."""

    def __init__(self, issuer: str, commands: IO[str], answers: IO[str]) -> None:
        self.issuer = issuer
        self._commands = commands
        self._answers = answers

    def shift_clock(self, seconds: int) -> None:
        """Set the provider's clock this far ahead of the machine's."""
        self._commands.write(f"shift {seconds}\n")
        self._commands.flush()
        assert self._answers.readline() == "SHIFTED\n"

    def approve(self, address: str, login: str) -> None:
        """Open `address`, confirm the code, sign in as `login` and consent."""
        answers = {"login": login, "password": "anything"}
        page = self._walk(address, answers)
        assert "Sign-in Success" in page, page

    def decline(self, address: str) -> None:
        """Open `address` and press Abort where the code is shown."""
        page = self._walk(address, {"abort": "yes"})
        assert "interrupted" in page, page

    @staticmethod
    def _walk(address: str, answers: dict[str, str]) -> str:
        with httpx.Client(follow_redirects=True, trust_env=False, timeout=PATIENCE) as browser:
            response = browser.get(address)
            for _ in range(MOST_PAGES):
                form = Form(response.text)
                # The page of a code that was refused asks for another code: the end, like a page without a form.
                if not form.action or "interrupted" in response.text:
                    return response.text
                filled = {name: answers.get(name, value) for name, value in form.fields.items()}
                if "confirm" in filled and "abort" in answers:
                    filled["abort"] = answers["abort"]
                response = browser.post(str(response.url.join(form.action)), data=filled)
        raise AssertionError(response.text)


class Form(HTMLParser):
    """The first form of a page: where it goes, and its fields with their values."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if tag == "form" and not self.action:
            self.action = found["action"]
        elif tag == "input" and found.get("name"):
            self.fields[found["name"]] = found.get("value", "")


@contextmanager
def running_provider() -> Iterator[RunningProvider]:
    """Start the provider; it ends with the block, and with this process in any case."""
    folder = _installed()
    with subprocess.Popen(
        ["node", "server.mjs"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        ready = re.fullmatch(r"READY (\S+)\n", process.stdout.readline())
        assert ready, "The provider ended before it listened."
        try:
            yield RunningProvider(ready[1], process.stdin, process.stdout)
        finally:
            process.stdin.close()
            process.wait(PATIENCE)


def _installed() -> Path:
    """A folder outside the repository with the package installed: once for one package.json, whoever comes first."""
    wanted = hashlib.sha256((HERE / "package.json").read_bytes()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"gatekey-oidc-provider-{wanted}"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.copy(HERE / "package.json", folder)
        shutil.copy(HERE / "server.mjs", folder)
        if not (folder / "installed").exists():
            command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            (folder / "installed").touch()
    return folder
