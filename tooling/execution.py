"""Execute the chapters, two at a time, and keep their outputs for the site.

python -m tooling.execution

Only chapters that the present library has not executed yet are run: by this program, or by nbval, which
compares what they print (tests/book/keep_outputs.py).
"""

from __future__ import annotations

import asyncio
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

from tooling.notebooks import Notebook, client, listed
from tooling.repository import ROOT
from tooling.sphinx_ext.settings import cache_of

BUILD = ROOT / "_build"
# Chapters at a time: each computes with as many threads as there are cores.
AT_A_TIME = 2
# At most so many seconds without a line.
SILENCE = 10.0


def keep(notebook: Notebook, path: Path) -> None:
    """Put an executed notebook where Sphinx looks for the outputs of the one at ``path``."""
    bundle = CacheBundleIn(notebook, str(path))
    get_cache(str(cache_of(BUILD, ROOT))).cache_notebook_bundle(bundle, overwrite=True)


def is_kept(path: Path) -> bool:
    """Say whether the present library has executed the notebook at ``path`` as it is now."""
    try:
        get_cache(str(cache_of(BUILD, ROOT))).match_cache_notebook(nbformat.read(path, 4))
    except KeyError:
        return False
    return True


class Running:
    """A chapter that is being executed: its notebook, and at which cell it is."""

    def __init__(self, path: Path) -> None:
        self.path, self.started = path, time.monotonic()
        self.notebook = nbformat.read(path, as_version=4)
        self.cells = sum(cell.cell_type == "code" for cell in self.notebook.cells)
        self.done = 0

    def __str__(self) -> str:
        return f"{self.path.stem} ({self.done} of {self.cells} cells)"

    @property
    def seconds(self) -> float:
        """The seconds since it was started."""
        return time.monotonic() - self.started

    def execute(self) -> None:
        """Execute it in a kernel of its own, in its own folder."""
        runs = client(self.notebook, self.path.parent, on_cell_executed=self._count)
        asyncio.run(runs.async_execute())  # execute() would leave this thread's event loop open

    def _count(self, cell: Notebook, **_: Any) -> None:
        self.done += cell.cell_type == "code"


def execute_all(paths: list[Path]) -> int:
    """Execute chapters, say how it goes, and return how many failed."""
    failed = finished = 0
    running: dict[Future[None], Running] = {}
    waiting = paths[::-1]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        while waiting or running:
            while waiting and len(running) < AT_A_TIME:
                chapter = Running(waiting.pop())
                running[pool.submit(chapter.execute)] = chapter
            done, _ = wait(running, timeout=SILENCE, return_when="FIRST_COMPLETED")
            if not done:
                say(f"  at {', '.join(map(str, running.values()))}")
            for future in done:
                chapter, error = running.pop(future), future.exception()
                finished += 1
                outcome = "executed" if error is None else "FAILED"
                count = f"{finished:2} of {len(paths)}"
                say(f"{count}  {chapter.path.stem:<28} {outcome} in {chapter.seconds:.0f} s")
                if error is None:
                    keep(chapter.notebook, chapter.path)
                else:
                    failed += 1
                    print(error, file=sys.stderr, flush=True)
    return failed


def say(line: str) -> None:
    """Print a line at once, also into a log."""
    print(line, flush=True)


def main() -> int:
    """Execute all chapters that are not kept, and return the exit status."""
    missing = [path for path in listed() if not is_kept(path)]
    if missing:
        say(f"Executing {len(missing)} of {len(listed())} notebooks, {AT_A_TIME} at a time ...")
    return 1 if execute_all(missing) else 0


if __name__ == "__main__":
    sys.exit(main())
