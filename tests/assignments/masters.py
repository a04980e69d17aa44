"""What a master holds, cell by cell, and the copy that a student gets of it."""

import ast
import copy
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from camcourse import regions
from camcourse.masters import read_file
from camcourse.release import students_copy
from tooling.repository import ROOT

SOURCE = ROOT / "assignments" / "source"
MASTERS = sorted(SOURCE.glob("*/*.ipynb"))
SOLUTION, HIDDEN = regions.SOLUTION, regions.HIDDEN
# How grade, solution and locked stand together in each kind of cell.
KINDS = {
    (False, False, True): "given",
    (False, True, False): "solution",
    (True, False, True): "test",
    (True, True, False): "manual",
}


def read(path: Path) -> Any:
    """Read a master."""
    return nbformat.read(path, as_version=4)


def kind(cell: Any) -> str:
    """Say what a cell is for: "given", "solution", "test" or "manual"."""
    about = cell.metadata["nbgrader"]
    return KINDS.get((about["grade"], about["solution"], about["locked"]), "none of these")


def looks(cell: Any) -> bool:
    """Say whether a cell only shows something, and is left out when answers are graded."""
    return "look" in cell.metadata.get("tags", [])


def chosen(notebook: Any, which: str, cell_type: str = "code") -> list[Any]:
    """Return the cells of one kind."""
    return [c for c in notebook.cells if kind(c) == which and c.cell_type == cell_type]


def inside(marks: tuple[str, str], source: str) -> str:
    """Return the lines of a cell's regions, without their marks."""
    lines = source.split("\n")
    numbers = sorted(regions.inside(source, marks))
    return "\n".join(lines[n - 1] for n in numbers if lines[n - 1].strip() not in marks)


def without(marks: tuple[str, str], source: str) -> str:
    """Return a cell's source with its regions taken out."""
    return regions.without(source, marks).rstrip()


def student_copy(path: Path) -> Any:
    """Return the notebook as students get it: no solutions, no hidden tests."""
    return students_copy(read_file(path))


def functions(notebook: Any) -> list[str]:
    """Return the names of the functions that students write."""
    trees = [ast.parse(cell.source) for cell in chosen(notebook, "solution")]
    return [node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]


def assigned(source: str) -> set[str]:
    """Return the names that a cell gives a value."""
    nodes = list(ast.walk(ast.parse(source)))
    stored = [n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    defined = [n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    return {*stored, *defined}


def used(source: str) -> set[str]:
    """Return the names that a cell reads, but for the arguments of its functions."""
    nodes = list(ast.walk(ast.parse(source)))
    arguments = {n.arg for n in nodes if isinstance(n, ast.arg)}
    read = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return read - arguments


def run(notebook: Any, path: Path) -> Any:
    """Run a copy from top to bottom in the master's folder, errors or not; return it with outputs."""
    executed = copy.deepcopy(notebook)
    client = NotebookClient(
        executed,
        timeout=300,
        kernel_name="python3",
        allow_errors=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    return executed


def errors(cell: Any) -> list[str]:
    """Return the names of the exceptions that a cell ended with."""
    return [output.ename for output in cell.outputs if output.output_type == "error"]
