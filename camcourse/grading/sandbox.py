"""The walls around a submission: bubblewrap, limits, and no file but what it needs.

Inside there is Python with its packages, and the few parts of camlib that graded work may use, all
read-only; a small /tmp; no network, no other process. The notebook comes as an open file, so that not
even its name is known inside.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from camcourse.grading.kit import hidden_packages

INSTALL = "Install it (Debian and Ubuntu: apt install bubblewrap), or pass --unsafe to do without."
SECONDS = 10.0  # of the processor, for a cell or a call of a submission; thrice that on the clock
SCRATCH = 64 * 2**20  # bytes in /tmp
DATA = 3 * 2**30  # bytes of memory that one process may ask for
FILES = 64
PROCESSES = 40
FILE_SIZE = 64 * 2**20
# Each worker's submissions get a user of their own, so that they cannot use up each other's limits.
FIRST_USER = 61_184
_CHILD = [sys.executable, "-s", "-m", "camcourse.grading.child"]


class NoSandboxError(RuntimeError):
    """This machine has no bubblewrap, or does not let it work."""


@dataclass(frozen=True)
class Sandbox:
    """How submissions are started; ``kit`` is the folder that :func:`camcourse.grading.kit.make_kit` made."""

    kit: Path
    safe: bool = True
    slot: int = 0

    def command(self, commands: int, replies: int, notebook: int) -> list[str]:
        """Return the command line that runs ``child.py`` with two pipes and an open notebook."""
        numbers = [str(number) for number in (commands, replies, notebook)]
        if not self.safe:
            return [*_limits(), *_CHILD, *numbers]
        limits = _limits(f"--nproc={PROCESSES}")
        return [*self._walls(), *limits, *self._user(), *_CHILD, *numbers]

    def environment(self) -> dict[str, str]:
        """Nothing of the caller's: it may hold secrets."""
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": "/tmp",
            "LANG": "C.UTF-8",
            "PYTHONPATH": "/kit" if self.safe else str(self.kit),
            "PYTHONDONTWRITEBYTECODE": "1",
            "MPLBACKEND": "agg",
            "OMP_NUM_THREADS": "1",
        }

    def _walls(self) -> list[str]:
        words = ["bwrap", "--die-with-parent", "--new-session"]
        if os.geteuid() == 0:  # its own user is then a real one: see _user
            words += ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
            words += ["--cap-drop", "ALL"]
            for power in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
                words += ["--cap-add", power]
        else:
            words += ["--unshare-all", "--cap-drop", "ALL"]
        # First what is empty, then what lies in it: Python may have been installed below /tmp.
        words += ["--proc", "/proc", "--dev", "/dev", "--size", str(SCRATCH), "--perms", "1777"]
        words += ["--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
        words += ["--size", str(SCRATCH), "--perms", "1777", "--tmpfs", "/tmp", "--chdir", "/tmp"]
        words += ["--perms", "0755", "--dir", "/etc"]
        for folder in ("/usr", "/etc/alternatives", "/etc/ld.so.cache"):
            words += ["--ro-bind-try", folder, folder]
        for link in ("/bin", "/lib", "/lib64", "/sbin"):
            if os.path.islink(link):
                words += ["--symlink", os.readlink(link), link]
            else:
                words += ["--ro-bind-try", link, link]
        for folder in sorted({sys.base_prefix, sys.prefix} - {"/usr"}):
            words += [*_parents(folder), "--ro-bind", folder, folder]
        for rival in map(str, hidden_packages()):
            words += ["--tmpfs", rival, "--remount-ro", rival]
        return [*words, "--ro-bind", str(self.kit), "/kit"]

    def _user(self) -> list[str]:
        """As root, become nobody in particular: limits on processes do not hold for root."""
        if os.geteuid() != 0:
            return []
        user = str(FIRST_USER + self.slot)
        return [
            "setpriv", "--reuid", user, "--regid", user, "--clear-groups",
            "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all",
        ]  # fmt: skip


def _limits(*more: str) -> list[str]:
    limits = [f"--data={DATA}", f"--nofile={FILES}", f"--fsize={FILE_SIZE}", "--core=0"]
    return ["prlimit", *limits, *more, "--"]


def _parents(folder: str) -> list[str]:
    """Folders above a bound one, open to be walked through: bubblewrap would close them to others."""
    above = [
        str(parent) for parent in reversed(Path(folder).parents) if str(parent) not in ("/", "/tmp")
    ]
    return [word for parent in above for word in ("--perms", "0755", "--dir", parent)]


def refuse_without(safe: bool) -> None:
    """Raise :class:`NoSandboxError` unless the walls stand, or none are wanted."""
    if not safe:
        return
    if shutil.which("bwrap") is None:
        raise NoSandboxError(f"Submissions run in a sandbox, and bubblewrap is missing. {INSTALL}")
    tried = subprocess.run(
        ["bwrap", "--ro-bind", "/", "/", "--unshare-pid", "--unshare-net", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode:
        said = tried.stderr.strip() or f"it ended with {tried.returncode}"
        raise NoSandboxError(
            f"Submissions run in a sandbox, and bubblewrap does not work here: {said}. "
            "Containers often forbid it; grade on a machine of your own, or pass --unsafe."
        )
