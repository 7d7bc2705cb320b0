"""Rules that the suite itself keeps."""

import ast
from pathlib import Path

import hypothesis
import pytest

pytestmark = pytest.mark.one_interpreter

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
    """Shared code stands in the harness, in the fakes, or in a module beside both files."""
    modules = {".".join(file.relative_to(TESTS.parent).with_suffix("").parts) for file in TEST_MODULES}
    assert len(modules) > 200
    assert {str(file): found for file in TESTS.rglob("*.py") if (found := imported(file) & modules)} == {}


def test_no_example_has_a_deadline() -> None:
    assert hypothesis.settings().deadline is None


@pytest.mark.parametrize("room", ["harness", "fakes"])
def test_a_shared_room_holds_no_test(room: str) -> None:
    assert list((TESTS / room).rglob("test_*.py")) == []


@pytest.mark.parametrize("room", ["gateway", "remote", "ssh", "store", "tui"])
def test_unit_tests_stand_where_their_subject_stands(room: str) -> None:
    """`unit/store/test_site.py` tests `store/site.py`; `test_site_more.py` beside it may hold more of the same."""
    files = sorted((TESTS / "unit" / room).rglob("test_*.py"))
    assert files
    misplaced = []
    for file in files:
        folder = TESTS.parent / file.parent.relative_to(TESTS / "unit")
        subjects = {path.stem for path in folder.glob("*") if path.suffix == ".py" or (path / "__init__.py").exists()}
        name = file.stem.removeprefix("test_")
        if not any(name == subject or name.startswith(f"{subject}_") for subject in subjects):
            misplaced.append(str(file.relative_to(TESTS)))
    assert misplaced == []
