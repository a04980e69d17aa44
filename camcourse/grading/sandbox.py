"""The sandbox of a submission: bubblewrap and resource limits.

Inside there are Python with its packages, the parts of camlib that graded work may use, all read-only,
and a small /tmp; there is no network and no other process. The notebook is passed as an open file, so
even its name is unknown inside.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from camcourse.grading.library import packages_to_hide

INSTALL = (
    "Install it (Debian and Ubuntu: apt install bubblewrap), or pass --unsafe to grade without it."
)
SECONDS = 10.0  # of processor time for a cell or a call; the limit on the clock is three times that
SCRATCH = 64 * 2**20  # bytes in /tmp
DATA = 3 * 2**30  # bytes of memory that a process may allocate
FILES = 64
PROCESSES = 40
FILE_SIZE = 64 * 2**20
# Each worker's submissions have their own user, because limits on processes count per user.
FIRST_USER = 61_184
_CHILD = [sys.executable, "-s", "-m", "camcourse.grading.child"]


class NoSandboxError(RuntimeError):
    """This machine has no bubblewrap, or does not let it work."""


@dataclass(frozen=True)
class Sandbox:
    """How submissions are started.

    ``library`` is the folder that :func:`~camcourse.grading.library.copy_library` has filled, ``slot``
    the number of the worker.
    """

    library: Path
    safe: bool = True
    slot: int = 0

    def command(self, commands: int, replies: int, notebook: int) -> list[str]:
        """Return the command line that runs ``child.py`` with two pipes and an open notebook."""
        numbers = [str(number) for number in (commands, replies, notebook)]
        if not self.safe:
            return [*_limits(), *_CHILD, *numbers]
        limits = _limits(f"--nproc={PROCESSES}")
        return [*self._bubblewrap(), *limits, *self._user(), *_CHILD, *numbers]

    def environment(self) -> dict[str, str]:
        """Return the environment variables; the caller's are left out, since they may hold secrets."""
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": "/tmp",
            "LANG": "C.UTF-8",
            "PYTHONPATH": "/library" if self.safe else str(self.library),
            "PYTHONDONTWRITEBYTECODE": "1",
            "MPLBACKEND": "agg",
            "OMP_NUM_THREADS": "1",
        }

    def _bubblewrap(self) -> list[str]:
        words = ["bwrap", "--die-with-parent", "--new-session"]
        if os.geteuid() == 0:  # no user namespace: _user switches to a real user
            words += ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
            words += ["--cap-drop", "ALL"]
            for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
                words += ["--cap-add", capability]
        else:
            words += ["--unshare-all", "--cap-drop", "ALL"]
        # Empty folders first, then what is bound into them: Python may be installed below /tmp.
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
        for package in map(str, packages_to_hide()):
            words += ["--tmpfs", package, "--remount-ro", package]
        return [*words, "--ro-bind", str(self.library), "/library"]

    def _user(self) -> list[str]:
        """Switch from root to another user: limits on processes do not apply to root."""
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
    """Make the folders above a bound one accessible; bubblewrap would create them for root alone."""
    above = [
        str(parent) for parent in reversed(Path(folder).parents) if str(parent) not in ("/", "/tmp")
    ]
    return [word for parent in above for word in ("--perms", "0755", "--dir", parent)]


def require_sandbox(safe: bool) -> None:
    """Raise :class:`NoSandboxError` if ``safe`` is True and bubblewrap does not work."""
    if not safe:
        return
    if shutil.which("bwrap") is None:
        raise NoSandboxError(f"Submissions run in a sandbox, but bubblewrap is missing. {INSTALL}")
    tried = subprocess.run(
        ["bwrap", "--ro-bind", "/", "/", "--unshare-pid", "--unshare-net", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode:
        said = tried.stderr.strip() or f"it ended with {tried.returncode}"
        raise NoSandboxError(
            f"Submissions run in a sandbox, but bubblewrap does not work here: {said}. "
            "Containers often forbid it. Grade on another machine, or pass --unsafe."
        )
