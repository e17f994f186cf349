"""Virtual environments for the suites whose packages do not go together, or are many.

Each is made once, in `$VSHELL_COMPAT_DIR` (default `~/.cache/vshell/compat`), with this
checkout in it as it is.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.compat import programs
from tests.compat.outcome import Outcome
from tests.compat.pytest_runs import ROOT, count

_ALWAYS = ("pytest>=8.2,<10", "pytest-xdist>=3.6,<4", "hypothesis>=6.100,<7", "docker>=7.1,<8")


@dataclass(frozen=True)
class Environment:
    """An environment, and the tests that run in it.

    Attributes:
        name: Its directory.
        title: What the table calls the suite.
        package: The package whose version the table says.
        requirements: What is installed beside vshell.
        arguments: What pytest is given: files of tests, and options.
        notes: What the table says beside it.
    """

    name: str
    title: str
    package: str
    requirements: tuple[str, ...]
    arguments: tuple[str, ...]
    notes: str = ""

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return programs.directory() / "environments" / self.name / "bin" / "python"

    def make(self) -> None:
        """Make it, if it is not there."""
        if not self.python.exists():
            where = self.python.parents[1]
            subprocess.run([sys.executable, "-m", "venv", where], check=True, timeout=300)
            wanted = [*_ALWAYS, *self.requirements, "-e", str(ROOT)]
            install = [str(self.python), "-m", "pip", "install", "--quiet", *wanted]
            subprocess.run(install, check=True, timeout=1800)

    def version(self, package: str) -> str:
        """Return the version of a package in it."""
        ask = f"import importlib.metadata as found; print(found.version({package!r}))"
        told = subprocess.run([self.python, "-c", ask], capture_output=True, text=True, check=True)
        return told.stdout.strip()

    def run(self, *, quick: bool = False) -> Outcome:
        """Make it and run the tests; the quick ones are those on the virtual shell."""
        self.make()
        outcome = Outcome(self.title, self.version(self.package), notes=self.notes)
        chosen = ("-m", "not docker") if quick else ()
        return count(outcome, *self.arguments, "-p", "no:asyncio", *chosen, python=str(self.python))
