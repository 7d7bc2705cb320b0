"""The process ends at once, but not before its words are out."""

import os
import subprocess
import sys

ENDING = "import atexit, sys; from tui.fast_exit import end_process; atexit.register(print, 'late'); "


def ending(program: str, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    command = [sys.executable, "-c", ENDING + program]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, env=buffered)


def test_what_was_said_arrives_and_nothing_runs_after() -> None:
    done = ending("sys.stdout.write('data'); sys.stderr.write('talk'); end_process(3)")
    assert (done.returncode, done.stdout, done.stderr) == (3, "data", "talk")


def test_a_closed_stream_does_not_matter() -> None:
    done = ending("sys.stdout.close(); end_process(4)")
    assert (done.returncode, done.stderr) == (4, "")


def test_nobody_reading_does_not_matter() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = ending("sys.stdout.write('lost'); end_process(5)", stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (5, "")
