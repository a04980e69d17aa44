"""Install what only the system can bring, where that is possible: as root, with apt-get."""

import os
import shutil
import subprocess
import sys


def install(package: str) -> bool:
    """Try to install a Debian package; return whether it went well."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    apt = ["apt-get", "-o", "Dpkg::Use-Pty=0", "-qq"]
    return run([*apt, "update"]) and run([*apt, "install", "-y", package])


def run(command: list[str]) -> bool:
    """Run an installer; return whether it went well."""
    print(f"Trying: {' '.join(command)}", file=sys.stderr)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    # What an installer says goes to stderr: stdout may be somebody's answer.
    return subprocess.run(command, stdout=sys.stderr, env=environment, check=False).returncode == 0
