"""Virtual environments for the suites whose packages do not go together, or are many.

Each is made when it is first needed, in `$VSHELL_COMPAT_DIR` (default
`~/.cache/vshell/compat`), with this checkout in it as it is. It is made again when what it
should hold changes, and brought to this checkout when another one used it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.compat import programs

ROOT = Path(__file__).parents[2]

_ALWAYS = ("pytest>=8.2,<10", "pytest-xdist>=3.6,<4", "hypothesis>=6.100,<7", "docker>=7.1,<8")


class CannotBuildError(Exception):
    """An environment cannot be made; the text says why."""


@dataclass(frozen=True)
class Environment:
    """An environment.

    Attributes:
        name: Its directory; empty for the one that runs.
        requirements: What is installed in it beside vshell.
    """

    name: str = ""
    requirements: tuple[str, ...] = ()

    @property
    def directory(self) -> Path:
        """Where it is."""
        return programs.directory() / "environments" / self.name

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.directory / "bin" / "python") if self.name else sys.executable

    def make(self) -> None:
        """Make it, if it is not there as it should be.

        Raises:
            CannotBuildError: Something cannot be installed.
        """
        if not self.name or self._made() == self._wanted():
            return
        programs.tell(f"making the environment {self.name}: {', '.join(self.requirements)}")
        if self._made().get("requirements") != self._wanted()["requirements"]:
            shutil.rmtree(self.directory, ignore_errors=True)
            self._run([sys.executable, "-m", "venv", str(self.directory)])
        self._install(*_ALWAYS, *self.requirements, "-e", str(ROOT))
        self._stamp.write_text(json.dumps(self._wanted()))

    @property
    def _stamp(self) -> Path:
        return self.directory / "made-of.json"

    def _wanted(self) -> dict[str, object]:
        return {
            "requirements": [*_ALWAYS, *self.requirements],
            "python": sys.version,
            "checkout": str(ROOT),
            "project": (ROOT / "pyproject.toml").read_text(),
        }

    def _made(self) -> dict[str, object]:
        if not self._stamp.exists():
            return {}
        found = json.loads(self._stamp.read_text())
        return found if found.get("python") == sys.version else {}

    def _install(self, *wanted: str) -> None:
        pip = [self.python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        self._run([*pip, *wanted])

    def _run(self, command: list[str]) -> None:
        try:
            done = subprocess.run(
                command, check=False, capture_output=True, text=True, timeout=1800
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CannotBuildError(f"the environment {self.name}: {error}") from error
        if done.returncode:
            lines = [line.strip() for line in done.stderr.splitlines() if "WARNING" not in line]
            errors = [line for line in lines if line.lower().startswith("error")]
            told = " ".join((errors or lines)[-3:]) or f"exit code {done.returncode}"
            raise CannotBuildError(f"the environment {self.name}: {told}")

    def versions(self, *packages: str) -> str:
        """Return packages with their versions in it, and Python's own."""
        ask = (
            "import importlib.metadata as found, sys;"
            "print(', '.join(f'{name} {found.version(name)}' for name in sys.argv[1:]))"
        )
        told = subprocess.run(
            [self.python, "-c", ask, *packages], capture_output=True, text=True, check=False
        )
        if told.returncode:
            last = told.stderr.strip().splitlines()[-1:]
            raise CannotBuildError(f"{', '.join(packages)}: {' '.join(last)}")
        return told.stdout.strip()
