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


EXPLORERS = {
    "one.mjs": 'import { words } from "./shared/all.mjs";\nexport { words };\n' + "// one\n" * 40,
    "two.mjs": "// no page holds this one\n" * 50,
    "shared/all.mjs": f'export const words = "{" ".join(map(str, range(300)))}";\n',
}


def test_a_page_pays_for_the_explorers_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its explorer and what is shared, compressed, not the third file; beside it the bare page.

    Of a page with goals of its own only the explorers' code is held against a goal of all pages.
    """
    monkeypatch.setattr(pages, "BY_THEMSELVES", ("book/own",))
    monkeypatch.setattr(pages, "BARE_PAGE", "book/still")
    files = {
        "index": PAGE,
        "book/still": PAGE,
        "book/alive": PAGE + ALIVE,
        "book/own": PAGE + ALIVE,
    }
    files = {f"{name}.html": text for name, text in files.items()} | {"_static/loader.mjs": LOADER}
    files |= {f"_static/explorers/{name}": text for name, text in EXPLORERS.items()}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    sizes = {name: len(gzip.compress(text.encode(), 6)) / 1e6 for name, text in EXPLORERS.items()}
    results = list(pages.visits(["book/still", "book/alive", "book/own"], count=1, site=tmp_path))
    found = {
        (result.subject, of): values for result in results for of, values in result.times.items()
    }
    assert set(found) == {
        ("book/still", goals.FIRST_PAINT),
        ("book/still", goals.BARE_PAINT),
        ("book/still", goals.TRANSFER),
        ("book/alive", goals.FIRST_PAINT),
        ("book/alive", goals.BARE_PAINT),
        ("book/alive", goals.READY),
        ("book/alive", goals.BARE_READY),
        ("book/alive", goals.TRANSFER),
        ("book/alive", goals.EXPLORER_CODE),
        ("book/own", goals.EXPLORER_CODE),
    }
    fetched = sizes["one.mjs"] + sizes["shared/all.mjs"]
    assert found["book/alive", goals.EXPLORER_CODE] == pytest.approx([fetched])
    assert found["book/own", goals.EXPLORER_CODE] == pytest.approx([fetched])
    for name in (goals.READY, goals.BARE_READY):
        assert all(value > 0 for value in found["book/alive", name])
    assert found["book/alive", goals.TRANSFER][0] > fetched
