"""What no file of the repository may hold: addresses that only hold today, paths of one machine."""

import re
import subprocess

import pytest

from tooling.repository import ROOT

# A letter in brackets stands for itself, and keeps this file from holding what it looks for.
FORBIDDEN = {
    "the host of a package registry": (
        r"[p]ypi\.org",
        r"[p]ythonhosted\.org",
        r"registry\.npm[j]s",
        r"[d]eb\.debian\.org",
    ),
    "a path of one machine": (r"(?<![\w.~$})>])/(work|root|tmp|farm)[/]", r"/opt[/]wh"),
    "the address of a content delivery network": (
        r"[j]sdelivr",
        r"[u]npkg\.com",
        r"[c]dnjs",
        r"[f]onts\.googleapis",
        r"[e]sm\.sh",
        r"[s]kypack\.dev",
    ),
}
PAYLOAD = re.compile(r"[A-Za-z0-9+/=]{200,}")  # base64: chance may write anything


def files() -> list[str]:
    """List the files of the repository: tracked, or new and not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in output.split("\0") if name and (ROOT / name).is_file()]


def hits(text: str, patterns: tuple[str, ...]) -> list[str]:
    """Return the lines of `text`, payloads left out, in which a pattern occurs."""
    lines = PAYLOAD.sub("", text).splitlines()
    return [line[:120] for line in lines if any(re.search(pattern, line) for pattern in patterns)]


@pytest.mark.parametrize(
    ("what", "planted"),
    [
        ("the host of a package registry", "see https://py" + "pi.org/project/x"),
        ("a path of one machine", 'open("/root' + '/x.txt")'),
        ("a path of one machine", "cd /work" + "/x"),
        ("the address of a content delivery network", "https://cdn.js" + "delivr.net/npm/x"),
    ],
)
def test_no_file_holds(what: str, planted: str) -> None:
    """Text files only; a picture is no text. A planted line would be found."""
    found = {
        name: hits(content.decode("utf-8"), FORBIDDEN[what])
        for name in files()
        if b"\0" not in (content := (ROOT / name).read_bytes())
    }
    assert {name: lines for name, lines in found.items() if lines} == {}, what
    assert hits(f"first\n{planted}\nlast", FORBIDDEN[what]) == [planted]


def test_one_file_alone_names_pytorchs_index() -> None:
    """The README says where torch without CUDA is; whoever installs it names the index himself."""
    address = "download." + "pytorch.org"
    found = [name for name in files() if address.encode() in (ROOT / name).read_bytes()]
    assert found == ["README.md"]


def test_no_large_file() -> None:
    """A clone stays small: no file above 600 kB but garments and networks, which have to travel."""
    large = [name for name in files() if (ROOT / name).stat().st_size > 600_000]
    assert {name.rsplit("/", 1)[0] for name in large} == {
        "camlib/assets/garments",
        "camlib/assets/networks",
    }
    assert sum((ROOT / name).stat().st_size for name in large) < 12_000_000
