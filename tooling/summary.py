"""Say how many tests, notebook cells and pages `make test` has checked.

python -m tooling.summary FOLDER reads the reports that pytest left there: unit.xml, chapters.xml
(one case a notebook cell), pages.xml (cases note each page they open as a property "page") and
widgets.xml (the explorers in JupyterLab).
"""

import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

STAGES = ("unit", "chapters", "pages", "widgets")


@dataclass(frozen=True)
class Report:
    """What one run of pytest did."""

    cases: int
    failed: int
    skipped: int
    pages: frozenset[str]


def read(path: Path) -> Report:
    """Read one of pytest's JUnit reports."""
    root = ET.parse(path).getroot()
    cases = list(root.iter("testcase"))
    pages = {
        entry.get("value", "") for entry in root.iter("property") if entry.get("name") == "page"
    }
    failed = [case for case in cases if case.find("failure") is not None]
    failed += [case for case in cases if case.find("error") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]
    return Report(len(cases), len(failed), len(skipped), frozenset(pages))


def summarise(folder: Path) -> tuple[str, bool]:
    """Return the closing lines, and whether every stage has checked something and all went well."""
    stages = tuple(read(folder / f"{name}.xml") for name in STAGES)
    unit, chapters, pages, widgets = stages
    passed = sum(stage.cases - stage.failed - stage.skipped for stage in stages)
    failed = sum(stage.failed for stage in stages)
    skipped = sum(stage.skipped for stage in stages)
    lines = (
        f"Checked: {unit.cases + pages.cases + widgets.cases} tests, {chapters.cases} notebook cells, "
        f"{len(pages.pages)} pages.\n"
        f"{passed} passed, {failed} failed, {skipped} skipped"
    )
    empty = not (pages.pages and all(stage.cases for stage in stages))
    return lines, not (failed or skipped or empty)


def main() -> int:
    """Print the summary; fail if anything failed, was skipped, or if a stage checked nothing."""
    lines, well = summarise(Path(sys.argv[1]))
    print(lines)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
