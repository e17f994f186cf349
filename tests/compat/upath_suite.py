"""universal_pathlib's own tests, which only its source distribution has."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.compat.environments import CannotBuildError, Environment
from tests.compat.outcome import Outcome
from tests.compat.pytest_suite import NONE, count

_VERSION = "0.3.10"


@dataclass(frozen=True)
class UpathSuite:
    """The suite.

    Attributes:
        environment: Where it runs.
        least: How many tests must pass.
    """

    environment: Environment
    least: int

    executors = (NONE,)

    def run(self, executor: str, *, quick: bool = False) -> Outcome:
        """Run it: in the unpacked source, with a case of ours beside its own."""
        self.environment.make()
        outcome = Outcome("universal_pathlib BaseTests", executor=executor, least=self.least)
        outcome.versions = self.environment.versions("universal-pathlib", "fsspec")
        with tempfile.TemporaryDirectory() as directory:
            source = self._unpacked(Path(directory))
            case = source / "upath" / "tests" / "implementations" / "test_vshell.py"
            shutil.copy(Path(__file__).with_name("upath_case.py"), case)
            # Not with the settings of its source, which want more plugins.
            options = ("-c", "/dev/null", "--rootdir", str(source))
            return count(outcome, self.environment, str(case), *options, directory=source)

    def _unpacked(self, directory: Path) -> Path:
        download = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        wanted = f"universal-pathlib=={_VERSION}"
        done = subprocess.run(
            [self.environment.python, *download, "-d", str(directory), wanted],
            check=False,
            capture_output=True,
            text=True,
            timeout=600,
        )
        if done.returncode:
            raise CannotBuildError(f"the source of {wanted}: {done.stderr.strip()[-300:]}")
        with tarfile.open(next(directory.glob("*.tar.gz"))) as archive:
            archive.extractall(directory, filter="data")
        return directory / f"universal_pathlib-{_VERSION}"
