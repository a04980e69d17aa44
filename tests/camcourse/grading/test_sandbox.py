"""What the walls keep in, tried with submissions that write down what they could do."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from camcourse.grading import sandbox
from camcourse.grading.kit import make_kit
from camcourse.grading.process import Ended, SandboxedProcess
from camcourse.grading.sandbox import NoSandboxError, Sandbox, refuse_without
from tests.camcourse.grading.hostile import DAEMON, PROBE

Run = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_kit(tmp_path_factory.mktemp("kit"))


@pytest.fixture
def sandboxed(kit: Path, tmp_path: Path) -> Iterator[SandboxedProcess]:
    """An empty notebook in the sandbox."""
    notebook = tmp_path / "submission.ipynb"
    notebook.write_text(json.dumps({"cells": [], "metadata": {}, "nbformat": 4}), encoding="utf-8")
    notebook.chmod(0o600)  # its owner's alone: the sandbox gets it open
    with SandboxedProcess(Sandbox(kit), notebook) as one:
        yield one


def found(sandboxed: SandboxedProcess, source: str) -> Any:
    """Run a cell that defines ``answer()`` and return what that returns."""
    reply = sandboxed.ask("run", 120, source=source, seconds=20.0)
    assert reply.keys() == {"id"}, reply
    reply = sandboxed.ask("call", 60, name="answer", arguments=[], options={}, seconds=20.0)
    assert "value" in reply, reply
    return reply["value"]


def test_reads_a_notebook_that_its_user_could_not_open(sandboxed: SandboxedProcess) -> None:
    assert sandboxed.ask("read", 120)["cells"] == []


def test_sees_no_process_and_no_file_of_others(sandboxed: SandboxedProcess) -> None:
    processes, homes, written = found(
        sandboxed,
        "import os\n"
        "def answer():\n"
        "    processes = [name for name in os.listdir('/proc') if name.isdigit()]\n"
        "    homes = [name for place in ('/home', '/root', '/mnt', '/etc') if os.path.isdir(place)\n"
        "             for name in os.listdir(place) if name.endswith(('.ipynb', 'passwd', 'shadow', 'hosts'))]\n"
        "    written = []\n"
        "    for place in ('/', '/kit', '/usr', '/dev', '/kit/camlib', os.path.dirname(os.__file__)):\n"
        "        try:\n"
        "            open(place + '/mine', 'w').close()\n"
        "            written.append(place)\n"
        "        except OSError:\n"
        "            pass\n"
        "    return len(processes), homes, written\n",
    )  # fmt: skip
    assert processes <= 3
    assert homes == []
    assert [place for place in written if place != "/"] == []


def test_has_no_privileges_and_its_own_environment(
    sandboxed: SandboxedProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "of the instructor")
    user, capabilities, names = found(
        sandboxed,
        "import os\n"
        "def answer():\n"
        "    lines = dict(line.split(':', 1) for line in open('/proc/self/status') if ':' in line)\n"
        "    return os.getuid(), lines['CapEff'].strip() + lines['NoNewPrivs'].strip(), list(os.environ)\n",
    )  # fmt: skip
    assert user != 0
    assert capabilities == "0" * 16 + "1"
    assert "SECRET" not in names


def test_no_network(sandboxed: SandboxedProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        port = server.getsockname()[1]
        reached = found(
            sandboxed,
            "import socket\n"
            "def answer():\n"
            "    try:\n"
            f"        socket.create_connection(('127.0.0.1', {port}), timeout=1)\n"
            "        return True\n"
            "    except OSError:\n"
            "        return False\n",
        )
        assert reached is False
        with pytest.raises(TimeoutError):
            server.accept()


def test_only_networks_pictures_and_scenes_of_camlib(sandboxed: SandboxedProcess) -> None:
    there, gone = found(
        sandboxed,
        "import importlib\n"
        "import camlib\n"
        "def names(modules):\n"
        "    found = []\n"
        "    for name in modules:\n"
        "        try:\n"
        "            importlib.import_module(name)\n"
        "            found.append(name)\n"
        "        except ImportError:\n"
        "            pass\n"
        "    return found\n"
        "def answer():\n"
        "    kept = ['camlib.networks', 'camlib.photos', 'camlib.garments']\n"
        "    answers = ['camlib.pooling', 'camlib.explain', 'camlib.garments.training', 'camlib.garments.evaluation', 'camcourse.checks',\n"
        "               'captum.attr', 'torchcam.methods', 'pytorch_grad_cam.grad_cam']\n"
        "    return names(kept), names(answers) + [n for n in ('upsample', 'weighted_sum') if hasattr(camlib, n)]\n",
    )  # fmt: skip
    assert there == ["camlib.networks", "camlib.photos", "camlib.garments"]
    assert gone == []


def test_the_compiler_comes_back_after_the_quick_import(sandboxed: SandboxedProcess) -> None:
    assert found(
        sandboxed,
        "import torch\n"
        "def answer():\n"
        "    import torch._dynamo\n"
        "    decorated = torch.compiler.disable(lambda: 1)\n"
        "    return hasattr(torch._dynamo, 'optimize') and decorated() == 1\n",
    )


def daemons() -> list[psutil.Process]:
    return [one for one in psutil.process_iter(["cmdline"]) if PROBE in (one.info["cmdline"] or [])]


def test_nothing_outlives_it(sandboxed: SandboxedProcess) -> None:
    sandboxed.ask("run", 120, source=DAEMON, seconds=5.0)
    soon(lambda: len(daemons()) == 1)
    sandboxed.end()
    soon(lambda: not daemons())


def soon(condition: Callable[[], bool]) -> None:
    """Starting and dying take a moment each."""
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_an_end_is_told_and_a_new_start_works(sandboxed: SandboxedProcess) -> None:
    with pytest.raises(Ended, match="its process ended by itself"):
        sandboxed.ask("run", 120, source="import os\nos._exit(3)", seconds=5.0)
    assert sandboxed.ask("run", 120, source="x = 1", seconds=5.0).keys() == {"id"}


def test_refused_without_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(NoSandboxError, match=r"bubblewrap is missing\. Install it"):
        refuse_without(True)
    refuse_without(False)


def test_refused_where_bubblewrap_may_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*words: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(
            words, 1, "", "bwrap: No permissions to create new namespace\n"
        )

    monkeypatch.setattr(sandbox.subprocess, "run", forbidden)
    with pytest.raises(NoSandboxError, match="No permissions to create new namespace"):
        refuse_without(True)
