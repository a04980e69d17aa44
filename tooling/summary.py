"""Say what `make test` has checked: how many tests and notebook cells, which pages and explorers.

python -m tooling.summary FOLDER reads the reports that pytest left there: code.xml,
chapters.xml (one case a notebook cell), pages.xml (cases note what they open as properties "page" and
"explorer") and widgets.xml (the explorers in JupyterLab).
"""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

STAGES = ("code", "chapters", "pages", "widgets")


def summarise(folder: Path) -> tuple[str, bool]:
    """Return the closing lines, and whether every stage has checked something and all went well."""
    roots = {name: ET.parse(folder / f"{name}.xml").getroot() for name in STAGES}
    cases = {name: list(root.iter("testcase")) for name, root in roots.items()}
    marks = [{mark.tag for mark in case} for stage in cases.values() for case in stage]
    failed = sum(bool(tags & {"failure", "error"}) for tags in marks)
    skipped = sum("skipped" in tags for tags in marks)
    noted = {
        kind: {p.get("value", "") for p in roots["pages"].iter("property") if p.get("name") == kind}
        for kind in ("page", "explorer")
    }
    cells = len(cases["chapters"])
    lines = (
        f"Checked: {len(marks) - cells} tests, {cells} notebook cells, {len(noted['page'])} pages.\n"
        f"pages: {', '.join(sorted(noted['page']))}\n"
        f"explorers: {', '.join(sorted(noted['explorer']))}\n"
        f"{len(marks) - failed - skipped} passed, {failed} failed, {skipped} skipped"
    )
    complete = all(cases.values()) and bool(noted["page"])
    return lines, complete and not (failed or skipped)


def main() -> int:
    """Print the summary; fail if anything failed, was skipped, or if a stage checked nothing."""
    lines, well = summarise(Path(sys.argv[1]))
    print(lines)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
