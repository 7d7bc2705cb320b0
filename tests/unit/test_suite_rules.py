"""Rules that the suite itself keeps."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
TEST_MODULES = sorted(TESTS.rglob("test_*.py"))


def imported(file: Path) -> set[str]:
    """Dotted names of the modules, and of the names in them, that a file imports anywhere."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_no_test_module_is_imported() -> None:
    """What two files share stands in the harness, in the fakes, or in a module beside both."""
    modules = {".".join(file.relative_to(TESTS.parent).with_suffix("").parts) for file in TEST_MODULES}
    assert len(modules) > 200
    assert {str(file): found for file in TESTS.rglob("*.py") if (found := imported(file) & modules)} == {}


@pytest.mark.parametrize("room", ["harness", "fakes"])
def test_a_shared_room_holds_no_test(room: str) -> None:
    assert list((TESTS / room).rglob("test_*.py")) == []
