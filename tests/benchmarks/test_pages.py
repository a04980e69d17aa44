"""What a page costs, measured in a small site whose files are known."""

import gzip
from pathlib import Path

import pytest

from benchmarks import goals, pages

LOADER = """const found = await import("./explorers/one.mjs");
document.querySelector("figure").textContent = found.words;
performance.mark("explorer one");
"""
PAGE = '<!doctype html><meta charset="utf-8"><title>Maps</title><p>Maps</p>'
ALIVE = (
    '<figure data-camlib-explorer="one"></figure>'
    '<script type="module" src="../_static/loader.mjs"></script>'
)


def write_site(folder: Path) -> dict[str, int]:
    """Write a page with an explorer and one without; returns each explorer file's compressed size."""
    explorers = {
        "one.mjs": 'import { words } from "./shared/all.mjs";\nexport { words };\n'
        + "// one\n" * 40,
        "two.mjs": "// no page holds this one\n" * 50,
        "shared/all.mjs": f'export const words = "{" ".join(map(str, range(300)))}";\n',
    }
    files = {"index.html": PAGE, "book/still.html": PAGE, "book/alive.html": PAGE + ALIVE}
    files |= {"_static/loader.mjs": LOADER}
    files |= {f"_static/explorers/{name}": text for name, text in explorers.items()}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return {name: len(gzip.compress(text.encode(), 6)) for name, text in explorers.items()}


def test_a_page_pays_for_the_explorers_it_holds(tmp_path: Path) -> None:
    """Its explorer and what is shared, compressed; the third file counts in the sum alone."""
    sizes = write_site(tmp_path)
    results = list(pages.measure(["book/still", "book/alive"], count=2, site=tmp_path))
    found = {
        (result.subject, of): values for result in results for of, values in result.times.items()
    }
    fetched = (sizes["one.mjs"] + sizes["shared/all.mjs"]) / 1e6
    assert found["book/alive", goals.EXPLORER_CODE] == pytest.approx([fetched] * 2)
    assert found["all explorers", goals.ALL_CODE] == pytest.approx([sum(sizes.values()) / 1e6])
    assert ("book/still", goals.EXPLORER_CODE) not in found
    assert ("book/still", goals.READY) not in found
    assert all(value > 0 for value in found["book/alive", goals.READY])
    assert found["book/alive", goals.TRANSFER][0] > fetched


def test_a_page_with_goals_of_its_own_is_weighed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of such a page only the explorers' code is held against a goal of all pages."""
    write_site(tmp_path)
    monkeypatch.setattr(pages, "BY_THEMSELVES", ("book/alive",))
    results = pages.measure(["book/alive"], site=tmp_path)
    assert [list(result.times) for result in results] == [[goals.EXPLORER_CODE], [goals.ALL_CODE]]


def test_a_site_without_explorers_is_an_error(tmp_path: Path) -> None:
    """A sum over no files would pass for a small one."""
    with pytest.raises(ValueError, match=r"site: expected the explorers' modules in .*, got none"):
        pages.code_size(tmp_path)
