"""What a submission can do in the sandbox, tried by submissions that report it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from camcourse import masters
from camcourse.grading import sandbox
from camcourse.grading.library import copy_library
from camcourse.grading.process import ChildProcess, ProcessEnded
from camcourse.grading.sandbox import NoSandboxError, Sandbox, require_sandbox
from tests.camcourse.grading.hostile import DAEMON, PROBE


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def process(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChildProcess]:
    """An empty notebook in the sandbox, which its user could not open; a test that ends it starts it again."""
    notebook = tmp_path_factory.mktemp("notebook") / "submission.ipynb"
    notebook.write_text(json.dumps({"cells": [], "metadata": {}, "nbformat": 4}), encoding="utf-8")
    notebook.chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECRET", "of the instructor")
        with ChildProcess(Sandbox(library), notebook) as one:
            yield one


def answer(process: ChildProcess, body: str) -> Any:
    """Return the value of a function with this body, called in the sandbox."""
    source = "def answer():\n" + textwrap.indent(textwrap.dedent(body), "    ")
    reply = process.request("run", 120, source=source, seconds=20.0)
    assert reply.keys() == {"id"}, reply
    reply = process.request("call", 60, name="answer", arguments=[], options={}, seconds=20.0)
    assert "value" in reply, reply
    return reply["value"]


def test_one_process_reads_the_notebook_and_sees_nothing_of_others(process: ChildProcess) -> None:
    assert os.environ["SECRET"]
    assert process.request("read", 120)["cells"] == []
    processes, files, written, user, capabilities, variables = answer(
        process,
        """
        import os
        processes = [name for name in os.listdir('/proc') if name.isdigit()]
        files = [name for place in ('/home', '/root', '/mnt', '/etc') if os.path.isdir(place)
                 for name in os.listdir(place) if name.endswith(('.ipynb', 'passwd', 'shadow', 'hosts'))]
        written = []
        for place in ('/library', '/usr', '/dev', '/library/camlib', os.path.dirname(os.__file__)):
            try:
                open(place + '/mine', 'w').close()
                written.append(place)
            except OSError:
                pass
        status = dict(line.split(':', 1) for line in open('/proc/self/status') if ':' in line)
        capabilities = status['CapEff'].strip() + status['NoNewPrivs'].strip()
        return len(processes), files, written, os.getuid(), capabilities, list(os.environ)
        """,
    )
    assert processes <= 3
    assert (files, written) == ([], [])
    assert user != 0
    assert capabilities == "0" * 16 + "1"
    assert "SECRET" not in variables


def test_no_network(process: ChildProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        body = f"""
        import socket
        try:
            socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), timeout=1)
            return True
        except OSError:
            return False
        """
        assert answer(process, body) is False
        with pytest.raises(TimeoutError):
            server.accept()


def test_which_modules_can_be_imported(process: ChildProcess) -> None:
    """Networks, photographs and scenes; nothing that computes a map. torch's compiler works.

    What an assignment about networks imports is there before a cell runs: it takes seconds.
    """
    imports = masters.read(masters.names()[0]).imports
    process.request("ready", 120, modules=list(imports))
    kept = ["camlib.networks", "camlib.photos", "camlib.garments", "torch._dynamo"]
    hidden = ["camlib.pooling", "camlib.explain", "camcourse.checks", "captum.attr"]
    hidden += ["camlib.garments.training", "camlib.garments.evaluation"]
    hidden += ["torchcam.methods", "pytorch_grad_cam.grad_cam"]
    body = f"""
    import importlib, sys, camlib, torch
    found = [] if 'torchvision' in sys.modules else ['torchvision is missing']
    for name in {kept + hidden}:
        try:
            importlib.import_module(name)
            found.append(name)
        except ImportError:
            pass
    found += [name for name in ('upsample', 'weighted_sum') if hasattr(camlib, name)]
    return found, torch.compiler.disable(lambda: 1)()
    """
    assert answer(process, body) == (kept, 1)


def test_nothing_outlives_it(process: ChildProcess) -> None:
    def daemons() -> int:
        found = [one.info["cmdline"] or [] for one in psutil.process_iter(["cmdline"])]
        return sum(PROBE in words for words in found)

    process.request("run", 120, source=DAEMON, seconds=5.0)
    wait_for(lambda: daemons() == 1)
    process.end()
    wait_for(lambda: daemons() == 0)


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_after_an_end_it_can_start_again(process: ChildProcess) -> None:
    with pytest.raises(ProcessEnded, match="its process ended by itself"):
        process.request("run", 120, source="import os\nos._exit(3)", seconds=5.0)
    assert process.request("run", 120, source="x = 1", seconds=5.0).keys() == {"id"}


def test_after_many_processes_it_can_start_at_once(process: ChildProcess) -> None:
    """Processes that are still ending would use up the limit of the next start."""
    forks = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    for _ in range(2):
        with pytest.raises(ProcessEnded, match="processes or threads"):
            process.request("run", 120, source=forks, seconds=20.0)
        assert process.request("ready", 120, modules=["torch"]).keys() == {"id"}


def test_without_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*words: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(words, 1, "", "bwrap: No permissions to create\n")

    with monkeypatch.context() as patch:
        patch.setattr(sandbox.subprocess, "run", forbidden)
        with pytest.raises(NoSandboxError, match="No permissions to create"):
            require_sandbox(True)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(NoSandboxError, match=r"bubblewrap is missing\. Install it"):
        require_sandbox(True)
    require_sandbox(False)
