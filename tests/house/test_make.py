"""`make` says what is wrong before anything else goes wrong, and a skipped test fails."""

import io
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tooling import beside
from tooling.repository import ROOT


def test_an_old_python_is_refused(tmp_path: Path) -> None:
    """Before anything is installed: the real interpreter, told that it is 3.10."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    old = tmp_path / "python-of-old"
    old.write_text(
        f'#!/bin/sh\n[ "$1" = -V ] && echo Python 3.10.13 && exit\n'
        f'exec {sys.executable} -c "import sys; sys.version_info = (3, 10, 13); $2"\n'
    )
    old.chmod(0o755)
    command = ["make", f"PYTHON={old}", "lint"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "is Python 3.10.13" in result.stderr
    assert "make PYTHON=" in result.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_skipped_test_fails(tmp_path: Path) -> None:
    """Each way to skip is turned into a failure by tests/conftest.py."""
    shutil.copyfile(ROOT / "tests" / "conftest.py", tmp_path / "conftest.py")
    (tmp_path / "test_one.py").write_text(
        "import pytest\n"
        "@pytest.mark.skip(reason='by mark')\n"
        "def test_mark(): ...\n"
        "def test_call(): pytest.skip('by call')\n"
        "@pytest.fixture\n"
        "def absent(): pytest.skip('by fixture')\n"
        "def test_fixture(absent): ...\n"
        "def test_good(): ...\n"
    )
    (tmp_path / "test_two.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=."]
    command += ["-c", "/dev/null", "--continue-on-collection-errors"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    # By call: the test fails. By mark and fixture: its set-up. The module: its collection.
    assert result.stdout.splitlines()[-1].startswith("1 failed, 1 passed, 3 errors")


class Index(BaseHTTPRequestHandler):
    """A package index with an empty torch and torchvision, which notes what it is asked for."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Answer with the links of a package, or with a wheel."""
        self.asked.append(self.path)
        _, name, wheel = f"{self.path}/".split("/")[:3]
        version = pin(name)
        file = f"{name}-{version}-py3-none-any.whl"
        content = wheel_of(name, version) if wheel else f'<a href="{file}">{file}</a>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/zip" if wheel else "text/html")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def pin(name: str) -> str:
    """Return the version in constraints.txt, as an index without CUDA has it."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith(f"{name}==")).split("==")[1] + "+cpu"


def wheel_of(name: str, version: str) -> bytes:
    """Return a wheel that holds nothing."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": f"{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return content.getvalue()


def make_torch(folder: Path, index: str, path: str) -> None:
    """Run the step that installs torch, with programs from ``path``."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copyfile(ROOT / name, folder / name)
    command = ["make", f"PYTHON={sys.executable}", f"TORCH_INDEX={index}", ".venv/.torch"]
    environment = os.environ | {"PATH": path, "PIP_CONFIG_FILE": os.devnull}
    subprocess.run(command, cwd=folder, env=environment, check=True)


def test_torch_comes_from_the_index_that_is_named(tmp_path: Path) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever).start()
        make_torch(tmp_path, f"http://127.0.0.1:{server.server_port}", os.defpath)
        server.shutdown()
    assert {path.split("/")[1] for path in Index.asked} == {"torch", "torchvision"}
    names = {path.name for path in tmp_path.glob(".venv/lib/python*/site-packages/torch*")}
    assert names == {f"{name}-{pin(name)}.dist-info" for name in ("torch", "torchvision")}


def test_uv_installs_where_it_is(tmp_path: Path) -> None:
    """A stand-in for uv notes how it is called."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "uv").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/called\n')
    (programs / "uv").chmod(0o755)
    make_torch(tmp_path, "http://index.test", f"{programs}{os.pathsep}{os.defpath}")
    called = (tmp_path / "called").read_text()
    assert called.startswith("pip install --quiet --python .venv/bin/python --constraint")
    assert called.endswith("--index-url http://index.test --no-deps torch torchvision\n")


@pytest.mark.parametrize(
    ("changed", "tests"),
    [
        ("camlib/pooling.py", "tests/test_pooling.py"),
        ("camlib/head/find.py", "tests/head/test_find.py"),
        ("camlib/head/replay.py", "tests/head"),
        ("camlib/explorers/box_explorer.mjs", "tests/explorers/test_box_explorer.py"),
        ("camlib/explorers/shared/grid.mjs", "tests/explorers"),
        ("camcourse/quizzes/page.py", "tests/camcourse/quizzes"),
        ("camcourse/grading/merge.py", None),
        ("tooling/serve.py", "tests/house"),
        ("benchmarks/goals.py", "tests/benchmarks/test_goals.py"),
        ("tests/head/test_table.py", "tests/head/test_table.py"),
        ("tests/head/heads.py", "tests/head"),
        ("tests/site/test_pages.py", None),
        ("tests/conftest.py", None),
        ("book/intro.ipynb", None),
        ("README.md", None),
    ],
)
def test_which_tests_stand_beside_a_file(changed: str, tests: str | None) -> None:
    assert beside.beside(changed, ROOT) == tests


def test_what_has_changed_since_the_last_commit(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    for name in ("same.py", "edited.py", "staged.py"):
        (tmp_path / name).write_text("1")
    git("add", ".")
    git("-c", "user.name=n", "-c", "user.email=e", "commit", "-m", "m")
    (tmp_path / "edited.py").write_text("2")
    (tmp_path / "staged.py").write_text("2")
    git("add", "staged.py")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "new.py").write_text("3")
    assert sorted(beside.changed(tmp_path)) == ["edited.py", "folder/new.py", "staged.py"]
