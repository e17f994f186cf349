"""Print what came of every hostile script: `python -m tests.script.hostile`."""

from __future__ import annotations

import sys
from contextlib import ExitStack, closing

from tests.script.hostile.running import CANARY, cases, ending_of, run_case
from vshell.script.pool import engine_class
from vshell.workspace import Workspace


def main() -> int:
    wrong = 0
    with ExitStack() as stack:
        engines = {
            name: stack.enter_context(closing(engine_class(name)()))
            for name in ("cpython", "monty", "quickjs")
        }
        print("| engine | script | ended with |\n|---|---|---|")
        for name, case in cases():
            with Workspace.memory() as workspace:
                workspace.write("/canary", CANARY)
                ending = ending_of(run_case(engines[name], workspace.state, case))
            mark = "" if ending in case.endings else f" (not one of {', '.join(case.endings)})"
            wrong += bool(mark)
            print(f"| {name} | {case.name} | {ending}{mark} |", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
