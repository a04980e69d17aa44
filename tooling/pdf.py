"""Print the built book as one PDF file: python -m tooling.pdf."""

from __future__ import annotations

import html
import sys
from pathlib import Path
from typing import Any

import pypdf
from playwright.sync_api import Page, sync_playwright

from tooling import browser, notebooks, serve

TARGET = serve.SITE / "_static" / "class-activation-maps.pdf"
# The articles of all pages become one document. Names of places are unique in their page only, so each
# gets its page's name before it; a link to another page becomes one to its place in this document.
GATHER = """async ([home, names]) => {
    const place = (page, hash) => `${page.replaceAll("/", "-")}--${hash}`;
    const pages = new Map(names.map((name) => [new URL(`${name}.html`, home).href, name]));
    const chapters = [];
    for (const [address, name] of pages) {
        const text = await (await fetch(address)).text();
        const found = new DOMParser().parseFromString(text, "text/html");
        const article = document.adoptNode(found.querySelector("article"));
        article.querySelectorAll("script, .headerlink, button").forEach((node) => node.remove());
        article.querySelectorAll("[loading]").forEach((node) => node.removeAttribute("loading"));
        article.querySelectorAll("[id]").forEach((node) => (node.id = place(name, node.id)));
        for (const node of article.querySelectorAll("[src]"))
            node.setAttribute("src", new URL(node.getAttribute("src"), address).href);
        for (const node of article.querySelectorAll("[clip-path]"))
            node.setAttribute("clip-path", node.getAttribute("clip-path").replace("#", `#${place(name, "")}`));
        for (const node of article.querySelectorAll("[href]")) {
            const url = new URL(node.getAttribute("href"), address);
            const [page, hash] = [url.href.split("#")[0], url.hash.slice(1)];
            // A file beside the pages is none in here, but a picture within a figure is shown.
            if (pages.has(page)) node.setAttribute("href", `#${place(pages.get(page), hash || "top")}`);
            else if (node.tagName === "image" || !url.href.startsWith(home)) node.setAttribute("href", url.href);
            else node.removeAttribute("href");
        }
        article.id = place(name, "top");
        article.classList.add("printed");
        chapters.push([article, article.querySelector("h1")?.textContent.trim() ?? name]);
    }
    const cover = document.createElement("nav");
    cover.className = "bd-article printed-contents";
    document.body.replaceChildren(cover, ...chapters.map(([article]) => article));
    await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
    await document.fonts.ready;
    return chapters.map(([article, title]) => [article.id, title]);
}"""
LOOKS = """
body { display: block; }
.printed { padding: 0; }
.printed { break-before: page; }
.printed-contents h1 { margin-top: 6rem; }
.printed-contents li { display: flex; gap: 0.5rem; list-style: none; margin: 0.35rem 0; }
.printed-contents li span:nth-child(2) { flex: 1; border-bottom: 1px dotted var(--cam-line); }
.printed-contents a { text-decoration: none !important; }
"""
FOOTER = '<p style="width: 100%; font: 8px sans-serif; text-align: center"><span class="pageNumber"></span></p>'
PAPER: dict[str, Any] = {
    "format": "A4",
    "margin": {"top": "18mm", "bottom": "20mm", "left": "20mm", "right": "20mm"},
    "display_header_footer": True,
    "header_template": "<p></p>",
    "footer_template": FOOTER,
    "print_background": True,
    "outline": True,
    "tagged": True,
}


def printed(target: Path = TARGET) -> int:
    """Print the book that lies in the site; returns the number of its pages.

    It is printed twice: where a chapter begins is known when all is set, and the contents say it.
    """
    with serve.in_background(serve.SITE) as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.find(), args=[*browser.FLAGS])
        page = chromium.new_page(bypass_csp=True)
        chapters = gather(page, address)
        target.parent.mkdir(parents=True, exist_ok=True)
        numbers = ["000"] * len(chapters)
        for times in ("to count its pages", "with the numbers of its pages"):
            print(f"printing the book {times} ...", flush=True)
            write_contents(page, chapters, numbers)
            page.pdf(path=target, **PAPER)
            numbers = list(map(str, beginnings(target, len(chapters))))
        chromium.close()
    return len(pypdf.PdfReader(target).pages)


def gather(page: Page, address: str) -> list[tuple[str, str]]:
    """Open the whole book as one document; returns the name and the title of each chapter."""
    page.emulate_media(media="print", color_scheme="light", reduced_motion="reduce")
    page.goto(f"{address}{notebooks.pages()[0]}.html")
    chapters: list[tuple[str, str]] = page.evaluate(GATHER, [address, notebooks.pages()])
    page.add_style_tag(content=LOOKS)
    return chapters


def write_contents(page: Page, chapters: list[tuple[str, str]], numbers: list[str]) -> None:
    """Set the first page: the book's name, and the chapters with the pages where they begin."""
    lines = "".join(
        f'<li><a href="#{name}">{html.escape(title)}</a><span></span><span>{number}</span></li>'
        for (name, title), number in zip(chapters, numbers, strict=True)
    )
    page.evaluate(
        "lines => { document.querySelector('nav').innerHTML = lines; }",
        f"<h1>Class Activation Maps</h1><p>An executable textbook.</p><ul>{lines}</ul>",
    )


def beginnings(path: Path, count: int) -> list[int]:
    """Return the page, counted from 1, on which each chapter's title stands: by the file's outline."""
    reader = pypdf.PdfReader(path)
    titles = [one for one in reader.outline if not isinstance(one, list)][-count:]
    return [int(reader.get_destination_page_number(one) or 0) + 1 for one in titles]


def main() -> int:
    """Print the book, say where it is."""
    pages = printed()
    print(f"The book as a PDF file of {pages} pages: {TARGET}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
