"""Good, broken and hostile submissions, with the fair points and status of each.

``python -m tests.camcourse.grading.hostile`` grades them and prints a table. They are about the first
assignment; the table is about its questions that need no network, whose import takes most of the time.
"""

from __future__ import annotations

import copy
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat

from camcourse import masters
from camcourse.grading.grade import Job, grade
from camcourse.masters import Master
from camcourse.release import students_copy

ASSIGNMENT = "cam-from-scratch"
NETWORKS = ("network", "q1", "q12", "q13", "draw")  # the cells about networks, by their grade_id
SECONDS = 4.0  # of processor time: enough for the slowest cell of the solution
BRIEF = 2.0  # likewise, without networks
Notebook = dict[str, Any]

PROBE = "left-over-daemon-of-a-submission"  # by which tests find it among all processes


@dataclass(frozen=True)
class Kind:
    """A kind of submission: ``make`` writes the file, ``points`` and ``status`` are fair for it."""

    name: str
    make: Callable[[Path], None]
    points: float
    status: str = "graded"


def cell(source: str) -> dict[str, Any]:
    """Return a code cell."""
    about = {"metadata": {}, "outputs": [], "execution_count": 1}
    return {"cell_type": "code", "source": source, **about}


def saved(notebook: Callable[[], Notebook]) -> Callable[[Path], None]:
    """Return a function that writes a notebook."""
    return lambda path: path.write_text(json.dumps(notebook()), encoding="utf-8") and None


def octets(content: bytes) -> Callable[[Path], None]:
    """Return a function that writes bytes."""
    return lambda path: path.write_bytes(content) and None


GARBAGE = """
import os
for number in range(3, 64):
    try:
        os.write(number, b"\\xff" * 100_000)
    except OSError:
        pass
"""
FORGED = """
import sys
from camcourse.grading import messages
true = messages.encode
def forged(reply):
    return true({"id": reply["id"], "value": True, "passed": True, "points": 100, "cells": []})
messages.encode = forged
"""
PATCHED = """
import builtins, sys
import numpy, torch
import camcourse
import camlib
yes = lambda *values, **options: True
for module, names in ((torch, ("allclose", "equal", "as_tensor")), (numpy, ("allclose", "array_equal"))):
    for name in names:
        setattr(module, name, yes)
camcourse.check = yes
builtins.AssertionError = type("Never", (Exception,), {})
class Yes:
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __eq__(self, other): return True
    __lt__ = __gt__ = __le__ = __ge__ = __eq__
    __hash__ = object.__hash__
def fake(name):
    return lambda *given, **options: torch.zeros(1)
"""
ALWAYS_EQUAL = """
class Yes:
    shape = (1, 1)
    def __eq__(self, other): return True
    __lt__ = __gt__ = __le__ = __ge__ = __eq__
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
def fake(name):
    return lambda *given, **options: Yes()
"""
FAKE_TENSORS = """
import torch
class Close(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function.__name__ in ("allclose", "equal", "__eq__", "le", "__le__"):
            return True
        return super().__torch_function__(function, types, args, kwargs or {})
def fake(name):
    return lambda *given, **options: torch.zeros(2, 2).as_subclass(Close)
"""
PICKLED = """
import os, pickle
class Run:
    def __reduce__(self):
        return os.system, ("touch run",)
def fake(name):
    return lambda *given, **options: Run()
"""
SPYING = """
import glob, os, sys
found = []
for pattern in ("/**/*.ipynb", "/**/assignments/**", "/**/grades*", "/proc/[0-9]*/environ", "/home/*", "/roo[t]/*"):
    for path in glob.glob(pattern, recursive=True, include_hidden=True)[:2000]:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read(2_000_000)
        except OSError:
            continue
        if "BEGIN HIDDEN" in text or "BEGIN SOLUTION" in text:
            found.append(text)
import json
for text in found:
    try:
        for one in json.loads(text)["cells"]:
            if "BEGIN SOLUTION" in "".join(one["source"]):
                exec("".join(one["source"]), globals())
    except Exception:
        pass
"""
IMPORTED = """
import camlib
from camlib import global_average_pool, upsample
from camlib.explain import class_activation_maps
"""
FROM_FILES = """
import glob, importlib.util, sys
for path in glob.glob("/**/camlib/pooling.py", recursive=True) + glob.glob("/**/captum", recursive=True):
    spec = importlib.util.spec_from_file_location("found", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    global_average_pool = module.global_average_pool
"""
HARD_CODED = """
import torch
def global_average_pool(maps):
    return {4: torch.tensor([[3.0]]), 8: torch.tensor([[3.0, -1.0]])}.get(maps.numel(), torch.zeros(1, 1))
def points_in(map, region):
    return 4.0 if bool(region[0, 0]) else -2.0
"""
DAEMON = f"""
import os, subprocess, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)", {PROBE!r}])
    os._exit(0)
"""
NETWORK = """
import socket
for address in (("127.0.0.1", 8765), ("localhost", 8765), ("10.0.0.1", 80), ("8.8.8.8", 53)):
    try:
        socket.create_connection(address, timeout=1).sendall(b"a submission called")
    except OSError:
        pass
"""
DELETES = """
import os, shutil
for folder in ("/", "/home", "/root", "/tmp", "/usr", os.getcwd(), os.path.expanduser("~")):
    shutil.rmtree(folder, ignore_errors=True)
for folder, _, files in os.walk("/", topdown=False):
    if folder.startswith(("/proc", "/usr", "/dev")):
        continue
    for name in files:
        try:
            with open(os.path.join(folder, name), "r+b") as file:
                file.truncate(0)
        except OSError:
            pass
"""
KILLS = """
import os
for number in (-1, os.getppid(), 1, os.getpid()):
    try:
        os.kill(number, 9)
    except OSError:
        pass
"""
DISARMED = """
import signal
for one in (signal.ITIMER_REAL, signal.ITIMER_PROF):
    signal.setitimer(one, 0)
signal.setitimer = lambda *given: None
while True:
    pass
"""
SWALLOWS = """
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
"""
# In cells of 1 GiB, each far from the time limit; without the third, which ends the process, all run.
# They end after the next look at the memory: else a later cell would be taken for the one to blame.
SHARED_MEMORY = (
    "import mmap, time\nkept, flags = [], mmap.MAP_SHARED | mmap.MAP_POPULATE",
    *["kept += [mmap.mmap(-1, 2**29, flags=flags) for _ in range(2)]\ntime.sleep(0.6)"] * 3,
)
MAGICS = """
%matplotlib inline
!ls
files = !ls
print?
get_ipython().run_line_magic("time", "1")
"""


class Submissions:
    """Notebooks that are handed in for an assignment with the questions q2 to q11 of the first one."""

    def __init__(self, master: Master) -> None:
        self.master = master
        self.tests = master.of_kind("tests")
        self.full = sum(cell.points for cell in self.tests)

    def solved(self) -> Notebook:
        """Return the master with its solutions."""
        return json.loads(self.master.path.read_text(encoding="utf-8"))

    def blank(self) -> Notebook:
        """Return the students' copy, unchanged."""
        return json.loads(nbformat.writes(students_copy(self.master)))

    def first(self, *sources: str) -> Notebook:
        """Return a solved notebook with more cells above all others."""
        notebook = self.solved()
        notebook["cells"][:0] = map(cell, sources)
        return notebook

    def last(self, source: str, start: Callable[[], Notebook] | None = None) -> Notebook:
        """Return a notebook, solved or other, with one more cell below all, which may redefine functions."""
        notebook = (start or self.solved)()
        notebook["cells"].append(cell(source))
        return notebook

    def points(self, *questions: str) -> float:
        """Return the points without those of the tests of these questions."""
        lost = [one.points for one in self.tests if one.grade_id.split("-")[0] in questions]
        assert lost, questions
        return self.full - sum(lost)

    def answering(self, source: str) -> Callable[[], Notebook]:
        """Return a blank notebook in which ``fake(name)`` makes every function that is asked for."""
        functions = "\n".join(f"{name} = fake({name!r})" for name in self.master.functions)
        return lambda: self.last(f"{source}\n{functions}", self.blank)

    def in_place_of(self, name: str, body: str) -> Callable[[], Notebook]:
        """Return a solved notebook in which one function is replaced."""
        lines = "\n".join(f"    {line}" for line in body.split("\n"))
        return lambda: self.last(f"def {name}(*given, **options):\n{lines}")

    def large(self, path: Path) -> None:
        """Write a solved notebook with 200 MB of outputs."""
        notebook = self.solved()
        text = "x" * 2**20
        output = {"output_type": "stream", "name": "stdout", "text": text}
        notebook["cells"].append({**cell("print('much')"), "outputs": [output] * 200})
        path.write_text(json.dumps(notebook), encoding="utf-8")

    def ended_often(self, times: int) -> Notebook:
        """Return a solved notebook below cells that end the process, and a picture in a text cell."""
        notebook = self.solved()
        source = "data:image/png;base64," + "A" * 2**21
        picture = {"cell_type": "markdown", "metadata": {}, "source": source}
        notebook["cells"][:0] = [cell("import os\nos._exit(1)")] * times + [picture]
        return notebook

    def shuffled(self) -> Notebook:
        """Return cells twice, missing and in another order, without texts and metadata."""
        notebook = self.solved()
        code = [one for one in notebook["cells"] if one["cell_type"] == "code"]
        code = [
            {**one, "metadata": {}} for one in code if "BEGIN HIDDEN" not in "".join(one["source"])
        ]
        notebook["cells"] = [*code, *copy.deepcopy(code[::-1]), *code[:4]]
        return notebook

    def other_language(self) -> Notebook:
        """Return a notebook in R."""
        notebook = self.solved()
        notebook["metadata"] = {"kernelspec": {"name": "ir", "language": "R", "display_name": "R"}}
        return notebook

    def kinds(self) -> tuple[Kind, ...]:
        """Return every kind, once."""
        solved, blank, first, last = self.solved, self.blank, self.first, self.last
        in_place_of, answering, points, full = (
            self.in_place_of, self.answering, self.points, self.full
        )  # fmt: skip

        def kind(name: str, notebook: Callable[[], Notebook], *about: Any) -> Kind:
            return Kind(name, saved(notebook), *(about or (full,)))

        # fmt: off
        return (
            kind("perfect", solved),
            kind("partial", in_place_of("identity_gap", "return 0.0"), points("q5")),
            kind("partial, wrong sign", in_place_of("points_in", "return -1.0"), points("q7")),
            kind("blank", blank, 0, "blank"),
            kind("no cells", lambda: {**solved(), "cells": []}, 0, "blank"),
            kind("functions in another order, cells twice or missing", self.shuffled),
            kind("magics", lambda: first(MAGICS)),
            kind("a cell timed", lambda: first("%%time\nx = 1")),
            kind("a cell in bash", lambda: first("%%bash\nrm -rf /")),
            kind("a syntax error", lambda: first("def broken(:")),
            kind("an exception", lambda: first("1 / 0")),
            kind("endless loop, top level", lambda: first("while True:\n    pass")),
            kind("endless loop that catches everything", lambda: first(SWALLOWS), full, "stopped: too slow"),
            kind("endless loop without alarm", lambda: first(DISARMED), full, "stopped: too slow"),
            kind("endless loop in a function", in_place_of("strongest_channels", "while True:\n    pass"), points("q6")),
            kind("endless sleep in a function", in_place_of("points_in", "import time\ntime.sleep(1e6)"), points("q7")),
            kind("memory bomb", lambda: first("kept = []\nwhile True:\n    kept.append(bytes(2**28))"), full, "stopped: too much memory"),
            kind("memory bomb in shared pages", lambda: first(*SHARED_MEMORY), full, "stopped: too much memory"),
            kind("memory bomb in a function", in_place_of("points_in", "return 'x' * 2**40"), points("q7")),
            kind("an end in each of ten cells", lambda: self.ended_often(10), full, "stopped: ended itself"),
            kind("os._exit", lambda: first("import os\nos._exit(0)"), full, "stopped: ended itself"),
            kind("os._exit in a function", in_place_of("identity_gap", "import os\nos._exit(0)"), points("q5"), "stopped: ended itself"),
            kind("sys.exit", lambda: first("import sys\nsys.exit('done')")),
            kind("sys.exit in a function", in_place_of("identity_gap", "raise SystemExit"), points("q5")),
            kind("kills what it can", lambda: first(KILLS), full, "stopped: ended itself"),
            kind("a crash of the interpreter", lambda: first("import ctypes\nctypes.string_at(0)"), full, "stopped: ended itself"),
            kind("deep recursion", in_place_of("points_in", "def f(): return f()\nreturn f()"), points("q7")),
            kind("fork bomb", lambda: first("import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"), full, "stopped: too many processes"),
            kind("thread bomb", lambda: first("import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()")),
            kind("left-over daemon", lambda: first(DAEMON)),
            kind("deletes and empties files", lambda: first(DELETES)),
            kind("fills the disk", lambda: first("for i in range(100):\n    open(f'{i}', 'wb').write(bytes(2**25))")),
            kind("calls the network", lambda: first(NETWORK)),
            kind("looks for tests and solutions", lambda: last(SPYING, blank), 0, "blank"),
            kind("patches numpy, torch, camlib and assert", answering(PATCHED), 0),
            kind("forges the checker", lambda: last(FORGED, blank), 0),
            kind("forges the checker, above a solution", lambda: last(FORGED), 0),
            kind("patches IPython and input", lambda: first("import IPython\nIPython.get_ipython = None\ninput = lambda *a: 'yes'")),
            kind("garbage on every pipe", lambda: last(GARBAGE), full, "stopped: tampered with the answers"),
            kind("garbage on every pipe, blank", lambda: last(GARBAGE, blank), 0, "stopped: tampered with the answers"),
            kind("closes every pipe", lambda: first("import os\nos.closerange(3, 256)"), full, "stopped: ended itself"),
            kind("answers that equal everything", answering(ALWAYS_EQUAL), 0),
            kind("tensors that are close to everything", answering(FAKE_TENSORS), 0),
            kind("pickled commands", answering(PICKLED), 0),
            kind("a huge answer", in_place_of("points_in", "import torch\nreturn torch.zeros(2**27)"), points("q7")),
            kind("a deep answer", in_place_of("points_in", "x = []\nfor _ in range(10000):\n    x = [x]\nreturn x"), points("q7")),
            kind("answers from camlib", lambda: last(IMPORTED, blank), 0, "blank"),
            kind("answers from camlib's files", lambda: last(FROM_FILES, blank), 0, "blank"),
            kind("hard-coded answers", lambda: last(HARD_CODED, blank), 0),
            kind("enormous outputs", lambda: first("for _ in range(200):\n    print('x' * 10**7)")),
            Kind("200 MB", self.large, full),
            Kind("broken JSON", octets(b'{"cells": [{"cell_type": "code", "source": "x ='), 0, "unreadable"),
            Kind("JSON that is no notebook", octets(b"[1, 2, 3]"), 0, "unreadable"),
            Kind("JSON nested without end", octets(b"[" * 10**6), 0, "unreadable"),
            Kind("an empty file", octets(b""), 0, "unreadable"),
            Kind("binary rubbish", octets(bytes(range(256)) * 400), 0, "unreadable"),
            kind("another language", self.other_language, 0, "unreadable"),
            kind("a name with 'quotes', \"more\" and spaces", solved),
            kind("имя файла 試験", solved),
            kind("=1+1", solved),
            kind("-rf", solved),
            kind("$(touch x); `y`", solved),
            kind("a\nnew line", solved),
            Kind("a link to a file of somebody else", lambda path: path.symlink_to("/etc/hostname"), 0, "unreadable"),
            Kind("a pipe without end", lambda path: os.mkfifo(path), 0, "unreadable"),
        )
        # fmt: on


def without_networks(folder: Path) -> Path:
    """Write the first assignment without the cells about networks; return the folder of masters."""
    notebook = nbformat.read(masters.read(ASSIGNMENT).path, as_version=4)
    notebook.cells = [
        one
        for one in notebook.cells
        if one.metadata["nbgrader"]["grade_id"].split("-")[0] not in NETWORKS
        and "look" not in one.metadata.get("tags", [])
    ]
    imports = notebook.cells[1]
    assert "networks, photos, " in imports.source
    imports.source = imports.source.replace("networks, photos, ", "")
    (folder / ASSIGNMENT).mkdir(parents=True)
    nbformat.write(notebook, folder / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    return folder


def main() -> int:
    """Grade all kinds and print the table; return 1 if points or a status are not as they should be."""
    with tempfile.TemporaryDirectory() as home:
        sources, submissions, grades = (Path(home) / name for name in ("a", "b", "c"))
        with mock.patch.object(masters, "SOURCES", without_networks(sources)):
            kinds = Submissions(masters.read(ASSIGNMENT)).kinds()
            submissions.mkdir()
            for one in kinds:
                one.make(submissions / f"{one.name}.ipynb")
            graded = grade(Job(ASSIGNMENT, submissions, grades, seconds=BRIEF))
    results = {one.student: one for one in graded}
    wrong = []
    print(f"{'submission':52} {'score':>6} {'fair':>6}  status")
    for one in kinds:
        got = results[one.name]
        line = f"{one.name!r:52} {got.points:6g} {one.points:6g}  {got.status}"
        print(line)
        if (got.points, got.status) != (one.points, one.status):
            wrong.append(f"{line}   <- expected: {one.status}")
    print(f"{len(kinds)} submissions, {len(wrong)} not as they should be", *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
