"""`python -m tests.compat [SUITE ...]`: run the suites of others, and print a table.

What a suite needs is installed when it is first run: virtual environments and npm packages,
in $VSHELL_COMPAT_DIR (~/.cache/vshell/compat). What cannot be installed is told, and is a
failure; what needs a Docker daemon is skipped where none answers. Progress goes to stderr.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import time
from functools import cache

from tests.compat.environments import CannotBuildError
from tests.compat.outcome import Outcome
from tests.compat.programs import CannotInstallError, tell
from tests.compat.pytest_suite import CONTAINER, NONE, VIRTUAL
from tests.compat.suites import SUITES


def main() -> int:
    given = _arguments()
    if given.list:
        for name, suite in SUITES.items():
            print(f"{name:14} {' '.join(suite.executors)}".rstrip())
        return 0
    wanted = [
        (name, executor)
        for name in given.suites or SUITES
        for executor in SUITES[name].executors
        if executor in given.executor and not (given.quick and executor == CONTAINER)
    ]
    outcomes = []
    for number, (name, executor) in enumerate(wanted, 1):
        tell(f"[{number}/{len(wanted)}] {name} {executor}".rstrip())
        outcomes.append(_run(name, executor, quick=given.quick))
        tell(outcomes[-1].row)
    _print(outcomes)
    return 0 if all(outcome.good for outcome in outcomes) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.compat",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"suites: {' '.join(SUITES)}",
    )
    parser.add_argument("suites", nargs="*", choices=[*SUITES, []], metavar="SUITE")
    parser.add_argument("--list", action="store_true", help="list the suites and their executors")
    parser.add_argument(
        "--executor",
        action="append",
        choices=[VIRTUAL, CONTAINER],
        help="only rows of this executor, and those without one",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a bounded part of each, without containers"
    )
    given = parser.parse_args()
    given.executor = [NONE, *(given.executor or [VIRTUAL, CONTAINER])]
    return given


def _run(name: str, executor: str, *, quick: bool) -> Outcome:
    suite = SUITES[name]
    began = time.monotonic()
    if executor == CONTAINER and (reason := _no_container()):
        return Outcome(name, executor=executor, skipped=reason)
    try:
        outcome = suite.run(executor, quick=quick)
    except (CannotBuildError, CannotInstallError, subprocess.TimeoutExpired) as error:
        outcome = Outcome(name, executor=executor, broken=" ".join(str(error).split()))
    outcome.seconds = time.monotonic() - began
    return outcome


@cache
def _no_container() -> str:
    """Return why there can be no container; empty if there can, and the image is there."""
    from tests.sync import daemon

    if reason := daemon.missing():
        return reason
    tell("making the image of the tests")
    try:
        daemon.image()
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        return f"the image cannot be made: {error}"
    return ""


def _print(outcomes: list[Outcome]) -> None:
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}\n")
    print("| suite | version | executor | passed | seconds | |")
    print("|---|---|---|---|---|---|")
    for outcome in outcomes:
        print(outcome.row)
    for outcome in outcomes:
        if outcome.left_out:
            print(f"\n{' '.join(filter(None, [outcome.name, outcome.versions, outcome.executor]))}")
        for reason, names in outcome.left_out.items():
            print(f"  {reason}\n    {', '.join(names)}")


if __name__ == "__main__":
    sys.exit(main())
