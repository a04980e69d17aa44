"""The same environment by every way: pip, conda and Binder, the workflows."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from typing import Any

import yaml

from tooling.constraints import canonical
from tooling.repository import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
PYTHONS = ("3.11", "3.12", "3.13")


def load(name: str) -> Any:
    """Read a YAML file of the repository."""
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def pins() -> dict[str, str]:
    """Read constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def name_of(requirement: str) -> str:
    """Return the package that a requirement names."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return canonical(match[0])


def test_conda_installs_what_pip_installs() -> None:
    """environment.yml takes Python by the same range, all else from pyproject and constraints."""
    python, pip, rest = load("environment.yml")["dependencies"]
    assert python == f"python{PROJECT['requires-python']}"
    assert pip == "pip"
    assert rest == {"pip": ["--constraint constraints.txt", "--editable .[book,lab]"]}
    assert {"book", "lab"} <= EXTRAS.keys()


def test_every_requirement_is_pinned_and_what_runs_here_is_so() -> None:
    """constraints.txt has one exact version of each package that pyproject.toml names."""
    wanted = PROJECT["dependencies"] + [entry for extra in EXTRAS.values() for entry in extra]
    assert {name_of(entry) for entry in wanted} <= pins().keys()
    assert all(re.fullmatch(r"[0-9][0-9a-z.]*", pin) for pin in pins().values())
    for requirement in PROJECT["dependencies"] + EXTRAS["book"] + EXTRAS["test"] + EXTRAS["dev"]:
        name = name_of(requirement)
        assert version(name).split("+")[0] == pins()[name], name


def test_pythons_are_the_same_everywhere() -> None:
    """pyproject's range and classifiers, and the oldest and the newest that the workflow tests."""
    assert PROJECT["requires-python"] == ">=3.11,<3.14"
    classified = [entry.rsplit(" ", 1)[1] for entry in PROJECT["classifiers"] if "3." in entry]
    assert tuple(classified) == PYTHONS
    for job in load(".github/workflows/test.yml")["jobs"].values():
        assert job["strategy"]["matrix"]["python"] == [PYTHONS[0], PYTHONS[-1]]
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in PYTHONS


def test_workflows_run_what_make_offers() -> None:
    """Everything on x86-64 and arm64; lint, units and chapters where the sandbox cannot be."""
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    offered = {line.split()[0] for line in done.stdout.splitlines()}
    jobs = load(".github/workflows/test.yml")["jobs"]
    runs = {
        name: [step["run"] for step in job["steps"] if step.get("run", "").startswith("make")]
        for name, job in jobs.items()
    }
    assert runs["linux"] == ["make test", "make portability"]
    assert runs["macos"] == ["make lint", "make unit", "make chapters"]
    assert {command.split()[1] for commands in runs.values() for command in commands} <= offered
    machines = {name: job["strategy"]["matrix"]["machine"] for name, job in jobs.items()}
    assert [machine.endswith("-arm") for machine in machines["linux"]] == [False, True]
