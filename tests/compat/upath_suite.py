"""universal_pathlib's own tests, which only its source distribution has."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tests.compat.outcome import Outcome
from tests.compat.pytest_runs import count
from tests.compat.readers_suite import ENVIRONMENT

_VERSION = "0.3.10"


def run(*, quick: bool = False) -> Outcome:
    """Run the suite: in the unpacked source, with a case of ours beside its own."""
    ENVIRONMENT.make()
    outcome = Outcome("universal_pathlib BaseTests", _VERSION)
    with tempfile.TemporaryDirectory() as directory:
        source = _unpacked(Path(directory))
        case = source / "upath" / "tests" / "implementations" / "test_vshell.py"
        shutil.copy(Path(__file__).with_name("upath_case.py"), case)
        # Not with the settings of its source, which want more plugins.
        options = ("-c", "/dev/null", "--rootdir", str(source), "-p", "no:cacheprovider")
        return count(outcome, str(case), *options, python=str(ENVIRONMENT.python), directory=source)


def _unpacked(directory: Path) -> Path:
    download = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    python = str(ENVIRONMENT.python)
    command = [python, *download, "-d", str(directory), f"universal-pathlib=={_VERSION}"]
    subprocess.run(command, check=True, timeout=600)
    with tarfile.open(next(directory.glob("*.tar.gz"))) as archive:
        archive.extractall(directory, filter="data")
    return directory / f"universal_pathlib-{_VERSION}"
