"""See that submissions can be graded here: bubblewrap is installed, and allowed to build its walls."""

import shutil
import sys

from camcourse.grading.sandbox import NoSandboxError, require_sandbox
from tooling import debian


def main() -> int:
    """Install bubblewrap if need be; say on stderr what is missing."""
    if shutil.which("bwrap") is None:
        debian.install("bubblewrap")
    try:
        require_sandbox(safe=True)
    except NoSandboxError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
