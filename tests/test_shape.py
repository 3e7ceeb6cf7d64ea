"""Can every file and function be read in one sitting, and does every name say what it holds?"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRODUCTION = ("cli", "examples", "services", "shared")
FOLDERS = (*PRODUCTION, "benchmarks", "tests")
SOURCES = sorted(
    path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if path.is_file()
)
LONGEST_FILE, USUAL_FILE = 300, 200
LONGEST_FUNCTION, USUAL_FUNCTION = 40, 25
# Names that say nothing (2-architecture, 4-style): what is in such a file belongs elsewhere.
SAYS_NOTHING = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common|data|info|process)(_|$)")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def lines(path: Path) -> int:
    """Count a file's lines that are not blank."""
    return sum(1 for line in path.read_text().splitlines() if line.strip())


@cache
def functions(path: Path) -> tuple[tuple[str, int], ...]:
    return tuple(_functions(ast.parse(path.read_text())))


def _functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node.name, _length(node)


def _length(node: Function) -> int:
    """Count the lines of a function, without its docstring and the functions inside it.

    A router is a list of routes: each is a function of its own, and counted as one.
    """
    inside = [one for one in ast.walk(node) if isinstance(one, Function) and one is not node]
    own = set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    docstring = [node.body[0]] if ast.get_docstring(node) is not None else []
    for part in (*docstring, *inside):
        own -= set(range(part.lineno, (part.end_lineno or part.lineno) + 1))
    return len(own)


def ninetieth(values: list[int]) -> int:
    return sorted(values)[int(len(values) * 0.9)]


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_small_enough_to_read_in_one_sitting(path: Path) -> None:
    assert lines(path) <= LONGEST_FILE
    assert [one for one in functions(path) if one[1] > LONGEST_FUNCTION] == []


def test_most_files_and_functions_are_much_smaller() -> None:
    production = [path for path in SOURCES if relative(path).split("/")[0] in PRODUCTION]

    assert ninetieth([lines(path) for path in production]) <= USUAL_FILE
    assert ninetieth([n for path in production for _, n in functions(path)]) <= USUAL_FUNCTION


def test_every_name_says_something() -> None:
    names = {relative(path) for path in SOURCES} | {
        relative(folder) for path in SOURCES for folder in path.parents if ROOT in folder.parents
    }

    assert [name for name in sorted(names) if _says_nothing(name)] == []


def _says_nothing(name: str) -> bool:
    return SAYS_NOTHING.search(name.rpartition("/")[2].removesuffix(".py")) is not None


@pytest.mark.parametrize(
    "name", ["services/notify/utils.py", "cli/helpers", "shared/case_data.py", "a/process_case.py"]
)
def test_a_name_that_says_nothing_would_be_caught(name: str) -> None:
    assert _says_nothing(name)


def test_a_long_function_would_be_caught(tmp_path: Path) -> None:
    body = "\n".join(f"    x{n} = {n}" for n in range(LONGEST_FUNCTION))
    long = tmp_path / "long.py"
    long.write_text(f'def f():\n    """Say\n    much.\n    """\n{body}\n')

    assert functions(long) == (("f", LONGEST_FUNCTION + 1),)


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_every_module_says_first_what_it_answers(path: Path) -> None:
    tree = ast.parse(path.read_text())

    assert ast.get_docstring(tree), "begin with a docstring"
