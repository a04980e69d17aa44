"""The small programs behind the Makefile."""

import gzip
import http.client
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest

from tooling import browser, notebooks, repository, serve, summary

ADDRESS = "https://example.org/someone/book"


@pytest.mark.parametrize(
    ("lines", "address"),
    [("", None)]
    + [(f'[project.urls]\nRepository = "{ADDRESS}{end}"', ADDRESS) for end in ("", "/", ".git")],
)
def test_the_address_of_the_repository(tmp_path: Path, lines: str, address: str | None) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(f'[project]\nname = "x"\n{lines}')
    assert repository.address(path) == address
    path.write_text('[project]\n[project.urls]\nRepository = "git@example.org:x/y"')
    with pytest.raises(ValueError, match=r"https address, got 'git@example.org:x/y'"):
        repository.address(path)


def notebook_file(folder: Path) -> Path:
    """Write a notebook with everything that the formatter has to put right."""
    words = nbformat.v4.new_markdown_cell("# A\n\n")
    code = nbformat.v4.new_code_cell("1 + 1\n", execution_count=17, metadata={"tags": []})
    code.metadata["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00Z"}
    result = nbformat.v4.new_output("execute_result", {"text/plain": "2"}, execution_count=17)
    code.outputs = [result]
    metadata = {
        "kernelspec": {"display_name": "mine", "language": "python", "name": "mine"},
        "language_info": {"name": "python", "version": "3.11.0"},
        "widgets": {"state": {}},
    }
    path = folder / "chapter.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[words, code], metadata=metadata), path)
    return path


class TestNotebooks:
    """One form for all notebooks."""

    @pytest.mark.parametrize("url", [None, ADDRESS])
    def test_form(self, tmp_path: Path, url: str | None) -> None:
        """Formatting twice is formatting once, and the set-up cell follows the address."""
        path = notebook_file(tmp_path)
        once = notebooks.formatted(path, url)
        result = nbformat.reads(once, as_version=4)
        nbformat.validate(result)
        assert result.metadata == {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
        words, setup, code = result.cells
        assert [cell.id for cell in result.cells] == ["cell-000", "cell-001", "cell-002"]
        assert setup.metadata == {"tags": ["remove-cell"]}
        assert words.source == "# A"
        assert (code.source, code.metadata) == ("1 + 1", {})
        assert (setup.execution_count, code.execution_count) == (1, 2)
        assert code.outputs[0].execution_count == 2
        path.write_text(once)
        assert notebooks.formatted(path, url) == once
        elsewhere = notebooks.formatted(path, f"{ADDRESS}s")
        assert elsewhere.count(notebooks.SETUP_MARK) == 1
        assert f"git+{ADDRESS}s" in elsewhere

    @pytest.mark.parametrize("url", [None, ADDRESS])
    @pytest.mark.parametrize("colab", [False, True])
    def test_the_set_up_cell_acts_on_colab_only(
        self, monkeypatch: pytest.MonkeyPatch, url: str | None, colab: bool
    ) -> None:
        """Run by IPython, with its %pip replaced by a list that records what would be installed."""
        from IPython.core.interactiveshell import InteractiveShell

        installed: list[str] = []
        said: list[str] = []
        if colab:
            monkeypatch.setitem(sys.modules, "google.colab", sys)
        shell = InteractiveShell()
        shell.register_magic_function(lambda line: installed.append(line), magic_name="pip")
        shell.user_ns["print"] = said.append
        shell.run_cell(notebooks.setup_source(url)).raise_error()
        expected = [f'install -q "camlib @ git+{ADDRESS}"'] if colab and url else []
        assert installed == expected
        assert bool(said) == (colab and url is None)

    def test_table_of_contents_gives_the_order(self, tmp_path: Path) -> None:
        """The root first, then parts, chapters and sections; pages in Markdown are no notebooks."""
        (tmp_path / "_toc.yml").write_text(
            "format: jb-book\nroot: b\nparts:\n- caption: x\n  chapters:\n  - file: d\n"
            "  - file: a\n    sections:\n    - file: c\n  - file: e\n"
        )
        for name in ("a.ipynb", "b.ipynb", "c.ipynb", "d.md", "e.ipynb"):
            (tmp_path / name).touch()
        assert notebooks.pages(tmp_path) == ["b", "d", "a", "c", "e"]
        assert [path.stem for path in notebooks.listed(tmp_path)] == ["b", "a", "c", "e"]

    def test_execute_stores_outputs_without_widget_state(self, tmp_path: Path) -> None:
        path = notebook_file(tmp_path)
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[1].source = "import ipywidgets\nipywidgets.IntSlider().value + 6 * 7"
        nbformat.write(notebook, path)
        notebooks.execute(path)
        result = nbformat.read(path, as_version=4)
        assert result.cells[2].outputs[0].data["text/plain"] == "42"
        assert "widgets" not in result.metadata


class TestBrowser:
    """A browser is found, or the message says what to do."""

    def test_named_or_on_the_path(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("CAMLIB_BROWSER", sys.executable)
        assert browser.find() == sys.executable
        monkeypatch.setenv("CAMLIB_BROWSER", "no-such-browser")
        with pytest.raises(RuntimeError, match="CAMLIB_BROWSER names no program: no-such-browser"):
            browser.find()
        program = tmp_path / "google-chrome"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        monkeypatch.delenv("CAMLIB_BROWSER")
        monkeypatch.setenv("PATH", str(tmp_path))
        assert browser.find() == str(program)

    @pytest.mark.parametrize("succeeds", ["_by_playwright", "_by_apt", None])
    def test_installed_if_absent(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        succeeds: str | None,
    ) -> None:
        """By Playwright, or else by the system; what it brought is returned. Or by neither."""
        brought: list[str] = []
        monkeypatch.delenv("CAMLIB_BROWSER", raising=False)
        monkeypatch.setattr(browser, "_installed", lambda: brought[0] if brought else None)
        for way in ("_by_playwright", "_by_apt"):
            install = lambda way=way: way == succeeds and not brought.append("new")  # noqa: E731
            monkeypatch.setattr(browser, way, install)
        assert browser.main() == (succeeds is None)
        output = capsys.readouterr()
        assert output.out.strip() == ("new" if succeeds else "")
        assert ("Install Chromium or Chrome, or set CAMLIB_BROWSER" in output.err) is not bool(
            succeeds
        )


class TestServe:
    """Right types, compressed text, this machine only, a free port."""

    @pytest.mark.parametrize(
        ("name", "kind", "accepts", "smaller"),
        [
            ("index.html", "text/html", "gzip", True),
            ("a.mjs", "text/javascript", "br, gzip", True),
            ("a.mjs", "text/javascript", "", False),
            ("a.wasm", "application/wasm", "gzip", True),
            ("a.svg", "image/svg+xml", "gzip", True),
            ("a.png", "image/png", "gzip", False),
        ],
    )
    def test_types_and_compression(
        self, tmp_path: Path, name: str, kind: str, accepts: str, smaller: bool
    ) -> None:
        """Text is compressed for those who ask; a file that has changed since is not the old one."""
        (tmp_path / "index.html").touch()
        with serve.in_background(tmp_path) as address:
            for time, content in enumerate((b"x" * 10_000, b"y" * 10_000)):
                (tmp_path / name).write_bytes(content)
                os.utime(tmp_path / name, (time, time))
                connection = http.client.HTTPConnection(urlsplit(address).netloc)
                connection.request("GET", f"/{name}", headers={"Accept-Encoding": accepts})
                response = connection.getresponse()
                got = response.read()
                connection.close()
                assert response.status == 200
                assert response.headers["Content-Type"] == kind
                assert (len(got) < 200) is smaller
                assert len(got) == int(response.headers["Content-Length"])
                assert (gzip.decompress(got) if smaller else got) == content

    def test_a_browser_may_close_early(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """No traceback is printed for it; the error of a handler is still told."""
        (tmp_path / "index.html").write_bytes(b"x" * 50_000_000)
        reset = struct.pack("ii", 1, 0)  # close at once, without reading what is on its way

        class Failing(serve.Handler):
            def do_HEAD(self) -> None:
                raise ValueError("a real error")

        for method, told in (("GET", False), ("HEAD", True)):
            with serve.in_background(tmp_path, Failing) as address:
                host, port = urlsplit(address).netloc.split(":")
                with socket.create_connection((host, int(port))) as connection:
                    connection.sendall(f"{method} /index.html HTTP/1.0\r\n\r\n".encode())
                    connection.recv(100)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            assert ("Traceback" in capfd.readouterr().err) is told

    def test_a_taken_port_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "index.html").touch()
        with (
            serve.server(tmp_path, port=18432) as first,
            serve.server(tmp_path, port=first.server_port) as second,
        ):
            assert first.server_address[0] == "127.0.0.1"
            assert second.server_port > first.server_port

    def test_no_book(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="run `make book` first"):
            serve.server(tmp_path)


class TestSummary:
    """What was checked, in numbers; nothing checked is a failure."""

    CASE = "<testcase/>"
    NOTE = '<testcase><properties><property name="{}" value="{}"/></properties></testcase>'
    PAGE = NOTE.format("page", "a")

    def summarised(self, folder: Path, **cases: str) -> tuple[str, bool]:
        """Write pytest's reports, one case in each but for those given, and read them."""
        usual = dict.fromkeys(summary.STAGES, self.CASE) | {"pages": self.PAGE}
        for stage, content in (usual | cases).items():
            text = f"<testsuites><testsuite>{content}</testsuite></testsuites>"
            (folder / f"{stage}.xml").write_text(text)
        return summary.summarise(folder)

    def test_numbers_and_names(self, tmp_path: Path) -> None:
        """3 + 3 + 1 tests, 2 cells; two different pages, one of them twice; one explorer."""
        two, three = self.CASE * 2, self.CASE * 3
        pages = "".join(self.NOTE.format("page", name) for name in "bab")
        pages += self.NOTE.format("explorer", "x")
        given = {"code": three, "chapters": two, "pages": pages}
        assert self.summarised(tmp_path, **given) == (
            "Checked: 8 tests, 2 notebook cells, 2 pages.\npages: a, b\nexplorers: x\n"
            "10 passed, 0 failed, 0 skipped",
            True,
        )

    @pytest.mark.parametrize("kind", ["skipped", "failure", "error"])
    def test_what_did_not_pass_fails(self, tmp_path: Path, kind: str) -> None:
        lines, well = self.summarised(tmp_path, code=f"<testcase><{kind}/></testcase>")
        assert "3 passed" in lines
        assert not well

    @pytest.mark.parametrize("empty", summary.STAGES)
    def test_a_stage_that_checked_nothing_fails(self, tmp_path: Path, empty: str) -> None:
        assert self.summarised(tmp_path)[1]
        assert not self.summarised(tmp_path, **{empty: ""})[1]

    def test_tests_that_open_no_page_fail(self, tmp_path: Path) -> None:
        assert not self.summarised(tmp_path, pages=self.CASE)[1]


@pytest.mark.parametrize("words", [["notebooks.py", "list"], ["browser.py"]])
def test_scripts_run_as_files_too(words: list[str]) -> None:
    """`python tooling/x.py` finds the package that it is part of."""
    command = [sys.executable, *words]
    environment = os.environ | {"CAMLIB_BROWSER": sys.executable}
    folder = repository.ROOT / "tooling"
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True, cwd=folder
    )
    assert result.stdout.strip()
