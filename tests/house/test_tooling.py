"""The small programs behind the Makefile."""

import gzip
import http.client
import os
import subprocess
import sys
import threading
from pathlib import Path

import nbformat
import pytest

from tooling import browser, notebooks, repository, serve, summary

ADDRESS = "https://example.org/someone/book"


def pyproject(folder: Path, urls: str) -> Path:
    """Write a pyproject.toml with the given lines below [project]."""
    path = folder / "pyproject.toml"
    path.write_text(f'[project]\nname = "x"\n{urls}')
    return path


class TestRepository:
    """The address stands in one place, or in none."""

    def test_unknown(self, tmp_path: Path) -> None:
        assert repository.address(pyproject(tmp_path, "")) is None

    @pytest.mark.parametrize("ending", ["", "/", ".git"])
    def test_known(self, tmp_path: Path, ending: str) -> None:
        path = pyproject(tmp_path, f'[project.urls]\nRepository = "{ADDRESS}{ending}"')
        assert repository.address(path) == ADDRESS

    def test_not_https(self, tmp_path: Path) -> None:
        path = pyproject(tmp_path, '[project.urls]\nRepository = "git@example.org:x/y"')
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
        result = nbformat.reads(notebooks.formatted(notebook_file(tmp_path), url), as_version=4)
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

    def test_formatting_twice_is_formatting_once(self, tmp_path: Path) -> None:
        path = notebook_file(tmp_path)
        once = notebooks.formatted(path, None)
        path.write_text(once)
        assert notebooks.formatted(path, None) == once

    def test_the_set_up_cell_follows_the_address(self, tmp_path: Path) -> None:
        path = notebook_file(tmp_path)
        path.write_text(notebooks.formatted(path, None))
        text = notebooks.formatted(path, ADDRESS)
        assert text.count(notebooks.SETUP_MARK) == 1
        assert f"git+{ADDRESS}" in text

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
            "root: b\nparts:\n- caption: x\n  chapters:\n  - file: d\n  - file: a\n"
            "    sections:\n    - file: c\n"
        )
        for name in ("a.ipynb", "b.ipynb", "c.ipynb", "d.md"):
            (tmp_path / name).touch()
        assert [path.stem for path in notebooks.listed(tmp_path)] == ["b", "a", "c"]

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
    """A browser is found, or the way out is said."""

    def test_named_by_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CAMLIB_BROWSER", sys.executable)
        assert browser.find() == sys.executable

    def test_named_wrongly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CAMLIB_BROWSER", "no-such-browser")
        with pytest.raises(RuntimeError, match="CAMLIB_BROWSER names no program: no-such-browser"):
            browser.find()

    def test_found_on_the_path(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        program = tmp_path / "google-chrome"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        monkeypatch.delenv("CAMLIB_BROWSER", raising=False)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert browser.find() == str(program)

    def test_installed_if_absent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Playwright's installer fails, the system's succeeds: what it brought is returned."""
        found: list[str] = []
        monkeypatch.delenv("CAMLIB_BROWSER", raising=False)
        monkeypatch.setattr(browser, "_on_path", lambda: found[0] if found else None)
        monkeypatch.setattr(browser, "_of_playwright", lambda: None)
        monkeypatch.setattr(browser, "_install_by_playwright", lambda: False)
        monkeypatch.setattr(browser, "_install_by_apt", lambda: not found.append("new-chromium"))
        assert browser.find() == "new-chromium"

    def test_none_to_be_had(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.delenv("CAMLIB_BROWSER", raising=False)
        for name in ("_on_path", "_of_playwright"):
            monkeypatch.setattr(browser, name, lambda: None)
        for name in ("_install_by_playwright", "_install_by_apt"):
            monkeypatch.setattr(browser, name, lambda: False)
        assert browser.main() == 1
        output = capsys.readouterr()
        assert output.out == ""
        assert "Install Chromium or Chrome, or set CAMLIB_BROWSER" in output.err


class TestServe:
    """The book on this machine only."""

    def test_types_and_address(self, tmp_path: Path) -> None:
        types = {
            "index.html": "text/html",
            "a.mjs": "text/javascript",
            "a.wasm": "application/wasm",
            "a.svg": "image/svg+xml",
        }
        for name in types:
            (tmp_path / name).write_text("x")
        with serve.server(tmp_path, port=0) as server:
            assert server.server_address[0] == "127.0.0.1"
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                for name, kind in types.items():
                    connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
                    connection.request("GET", f"/{name}")
                    response = connection.getresponse()
                    assert (response.status, response.read()) == (200, b"x")
                    assert response.headers["Content-Type"] == kind
                    connection.close()
            finally:
                server.shutdown()
                thread.join()

    @pytest.mark.parametrize(
        ("name", "accepts", "smaller"),
        [("a.mjs", "br, gzip", True), ("a.mjs", "", False), ("a.png", "gzip", False)],
    )
    def test_text_is_compressed(
        self, tmp_path: Path, name: str, accepts: str, smaller: bool
    ) -> None:
        """For those who ask for it; and a file that has changed since is not the old one."""
        (tmp_path / "index.html").touch()
        with serve.server(tmp_path, port=0) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                for time, content in enumerate((b"x" * 10_000, b"y" * 10_000)):
                    (tmp_path / name).write_bytes(content)
                    os.utime(tmp_path / name, (time, time))
                    connection = http.client.HTTPConnection("127.0.0.1", server.server_port)
                    connection.request("GET", f"/{name}", headers={"Accept-Encoding": accepts})
                    response = connection.getresponse()
                    got = response.read()
                    connection.close()
                    assert (len(got) < 200) is smaller
                    assert len(got) == int(response.headers["Content-Length"])
                    assert (gzip.decompress(got) if smaller else got) == content
            finally:
                server.shutdown()
                thread.join()

    def test_a_taken_port_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "index.html").touch()
        with (
            serve.server(tmp_path, port=18432) as first,
            serve.server(tmp_path, port=first.server_port) as second,
        ):
            assert second.server_port > first.server_port

    def test_no_book(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="run `make book` first"):
            serve.server(tmp_path)


def report(folder: Path, stage: str, cases: str) -> None:
    """Write one of pytest's reports."""
    (folder / f"{stage}.xml").write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")


class TestSummary:
    """What was checked, in numbers; nothing checked is a failure."""

    CASE = "<testcase/>"
    PAGE = '<testcase><properties><property name="page" value="{}"/></properties></testcase>'

    EXPLORER = PAGE.replace("page", "explorer")

    def test_numbers_and_names(self, tmp_path: Path) -> None:
        """3 + 2 + 4 + 1 tests, 2 cells; two different pages, one of them twice; one explorer."""
        report(tmp_path, "unit", self.CASE * 3)
        report(tmp_path, "course", self.CASE * 2)
        report(tmp_path, "chapters", self.CASE * 2)
        some = "".join(map(self.PAGE.format, "bab")) + self.EXPLORER.format("x")
        report(tmp_path, "pages", some)
        report(tmp_path, "widgets", self.CASE)
        lines, well = summary.summarise(tmp_path)
        assert lines == (
            "Checked: 10 tests, 2 notebook cells, 2 pages.\npages: a, b\nexplorers: x\n"
            "12 passed, 0 failed, 0 skipped"
        )
        assert well

    @pytest.mark.parametrize("kind", ["skipped", "failure", "error"])
    def test_what_did_not_pass_fails(self, tmp_path: Path, kind: str) -> None:
        report(tmp_path, "unit", f"<testcase><{kind}/></testcase>")
        report(tmp_path, "course", self.CASE)
        report(tmp_path, "chapters", self.CASE)
        report(tmp_path, "pages", self.PAGE.format("a"))
        report(tmp_path, "widgets", self.CASE)
        lines, well = summary.summarise(tmp_path)
        assert "4 passed" in lines
        assert not well

    @pytest.mark.parametrize("empty", summary.STAGES)
    def test_a_stage_that_checked_nothing_fails(self, tmp_path: Path, empty: str) -> None:
        for stage in summary.STAGES:
            report(tmp_path, stage, "" if stage == empty else self.PAGE.format("a"))
        assert not summary.summarise(tmp_path)[1]


@pytest.mark.parametrize("name", ["notebooks", "browser"])
def test_scripts_run_as_files_too(name: str) -> None:
    """`python tooling/x.py` finds the package that it is part of."""
    command = [sys.executable, str(repository.ROOT / "tooling" / f"{name}.py")]
    command += ["list"] if name == "notebooks" else []
    environment = os.environ | {"CAMLIB_BROWSER": sys.executable}
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True, cwd=repository.ROOT
    )
    assert result.stdout.strip()
