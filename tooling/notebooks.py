"""List, format, check and execute the notebooks that ``_toc.yml`` names.

python -m tooling.notebooks list | format [NAME ...] | check [NAME ...] | execute [NAME ...]
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import nbformat
from sphinx_external_toc.parsing import parse_toc_yaml

if __package__ in (None, ""):  # run as a script: let `tooling` be found
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tooling.repository import ROOT, address

Notebook = Any  # nbformat's NotebookNode: a dictionary with attributes
SETUP_MARK = "# Set-up for Google Colab"


def listed(root: Path = ROOT) -> list[Path]:
    """Return the notebooks of the book in the order of ``_toc.yml``."""
    return [path for name in pages(root) if (path := root / f"{name}.ipynb").exists()]


def pages(root: Path = ROOT) -> list[str]:
    """Return the pages that ``_toc.yml`` names, in its order, without suffix: "book/intro", ..."""
    return list(parse_toc_yaml(root / "_toc.yml"))


def setup_source(url: str | None) -> str:
    """Return the first cell: it installs camlib on Colab and does nothing elsewhere."""
    action = (
        '    print("This book has no public address yet: upload its folder, then run")\n'
        '    print("%pip install -q ./FOLDER")'
        if url is None
        else f'    %pip install -q "camlib @ git+{url}"'
    )
    start = f"{SETUP_MARK}; does nothing elsewhere.\nimport sys\n\n"
    return f'{start}if "google.colab" in sys.modules:\n{action}'


def normalise(notebook: Notebook, url: str | None) -> None:
    """Bring metadata, cell ids, execution counts and the set-up cell into their one form."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    _refresh_setup(notebook, url)
    count = 0
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:03d}"
        cell.source = cell.source.rstrip()
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in ("mystnb", "tags") if cell.metadata.get(key)}
        )
        if cell.cell_type == "code" and cell.execution_count is not None:
            cell.execution_count = count = count + 1
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count


def _refresh_setup(notebook: Notebook, url: str | None) -> None:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code[:]:
        if cell.source.startswith(SETUP_MARK):
            notebook.cells.remove(cell)
            code.remove(cell)
    if not code:
        return
    setup = nbformat.v4.new_code_cell(setup_source(url), metadata={"tags": ["remove-cell"]})
    if all(cell.execution_count is not None for cell in code):
        setup.execution_count = 1  # it does nothing here, so it has been run as much as it can be
    notebook.cells.insert(notebook.cells.index(code[0]), setup)


def formatted(path: Path, url: str | None) -> str:
    """Return the text that the notebook at `path` should have."""
    notebook = nbformat.read(path, as_version=4)
    normalise(notebook, url)
    return str(nbformat.writes(notebook)) + "\n"


def client(notebook: Notebook, folder: Path, **hooks: Any) -> Any:
    """Return what runs a notebook's cells in a folder; the notebook takes their outputs, no widget state."""
    from nbclient import NotebookClient

    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")  # the kernel of this environment
    return NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        store_widget_state=False,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
        **hooks,
    )


def execute(path: Path) -> None:
    """Run the notebook at `path` in its own folder and store its outputs."""
    notebook = nbformat.read(path, as_version=4)
    normalise(notebook, address())
    client(notebook, path.parent).execute()
    nbformat.write(notebook, path)


def main() -> int:
    """Carry out the command given on the command line."""
    parser = argparse.ArgumentParser(prog="tooling.notebooks", description=__doc__)
    parser.add_argument("command", choices=["list", "format", "check", "execute"])
    parser.add_argument("names", nargs="*", help="chapters, e.g. 04-upsampling (default: all)")
    arguments = parser.parse_args()
    paths = [path for path in listed() if not arguments.names or path.stem in arguments.names]
    missing = set(arguments.names) - {path.stem for path in paths}
    if missing or not paths:
        print(f"_toc.yml names no notebook {', '.join(sorted(missing))}".rstrip(), file=sys.stderr)
        return 1
    wrong = 0
    for path in paths:
        shown = path.relative_to(ROOT)
        if arguments.command == "list":
            print(shown)
            continue
        if arguments.command == "execute":
            print(f"executing {shown}")
            execute(path)
        old, new = path.read_text(encoding="utf-8"), formatted(path, address())
        if old == new:
            continue
        if arguments.command == "check":
            print(f"{shown} is not in its one form: run `make format`", file=sys.stderr)
            wrong = 1
        else:
            path.write_text(new, encoding="utf-8")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
