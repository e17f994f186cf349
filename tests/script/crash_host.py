"""A host that is killed at a chosen statement while it runs a durable script.

    python -m tests.script.crash_host ENGINE DIRECTORY SEED POINTS

For each point a child process runs the script on a new workspace and kills itself before
or after its nth statement; others go on until one is done. What is then in the
workspace must be what a run without a crash leaves.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vshell import Workspace
from vshell.fs.database import Database

PYTHON = """
total = 0
for number in range(6):
    text = state.read_file('/log.txt') if state.exists('/log.txt') else ''
    total += len(text)
    state.append_file('/log.txt', str(number) + ' ' + str(total) + '\\n')
    if number % 2:
        state.write_json('/deep/' + str(number) + '.json', {'n': number})
        send(number)
total
"""
CHANCE = (
    "import random, time\nstate.write_file('/chance', f'{random.random()} {time.time():.3f}')\n"
)
JAVASCRIPT = """async () => {
  let total = 0;
  await state.writeFile('/chance', `${Math.random()} ${Date.now()}`);
  for (let number = 0; number < 6; number++) {
    const text = await state.exists('/log.txt') ? await state.readFile('/log.txt') : '';
    total += text.length;
    await state.appendFile('/log.txt', `${number} ${total}\\n`);
    if (number % 2) {
      await state.writeJson(`/deep/${number}.json`, {n: number});
      await send(number);
    }
  }
  return total;
}"""
SOURCES = {"monty": PYTHON, "cpython": CHANCE + PYTHON, "quickjs": JAVASCRIPT}
LANGUAGES = {"monty": "python", "cpython": "python", "quickjs": "javascript"}


def expected_log() -> str:
    text, total = "", 0
    for number in range(6):
        total += len(text)
        text += f"{number} {total}\n"
    return text


class Killer:
    """Kills this process at the nth statement; None never does."""

    def __init__(self, at: int | None, *, after: bool = False) -> None:
        self.at = at
        self.after = after
        self.count = 0
        for name in ("run", "run_many", "row", "rows"):
            setattr(Database, name, self._counted(getattr(Database, name)))

    def _counted(self, statement: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            self.count += 1
            due = self.count == self.at
            if due and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = statement(*arguments)
            if due:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return counted


def attempt(engine: str, directory: Path, killer: Killer) -> int:
    """Run the script, or go on with it; return how many statements that took."""

    def send(number: int, *, idempotency_key: str) -> None:
        with open(directory / "outside.txt", "a") as file:
            file.write(f"{idempotency_key} {number}\n")

    functions = {"send": send}
    with Workspace.open(directory / "w.db") as workspace:
        before = killer.count
        runs = workspace.runs.list().runs
        if runs:
            result = workspace.runs.resume(runs[0].id, functions=functions)
        else:
            result = workspace.run(
                SOURCES[engine],
                language=LANGUAGES[engine],
                engine=engine,
                durable=True,
                functions=functions,
            )
        assert result.status == "ok", result
        return killer.count - before


def forked(work: Callable[[], object]) -> int:
    """Do something in a child process; return how that ended."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001 - whatever it is, it is shown
            traceback.print_exc()
            os._exit(1)
    return os.waitpid(child, 0)[1]


def check(directory: Path) -> None:
    with Workspace.open(directory / "w.db") as workspace:
        assert workspace.read_text("/log.txt") == expected_log()
        assert workspace.glob("/deep/*").paths == tuple(f"/deep/{n}.json" for n in (1, 3, 5))
        assert workspace.check().ok
        if workspace.exists("/chance"):
            assert len(workspace.history("/chance").changes) == 1
        assert len(workspace.history("/log.txt").changes) == 6
        (run,) = workspace.runs.list().runs
        assert run.status == "ok"
    sent = dict(line.split() for line in (directory / "outside.txt").read_text().splitlines())
    assert list(sent.values()) == ["1", "3", "5"]


def main(engine: str, directory: Path, seed: int, points: int) -> None:
    (directory / "whole").mkdir()
    whole = forked(
        lambda: (directory / "count").write_text(
            str(attempt(engine, directory / "whole", Killer(None)))
        )
    )
    assert whole == 0
    check(directory / "whole")
    total = int((directory / "count").read_text())
    chance = random.Random(seed)
    for number in range(points):
        place = directory / str(number)
        place.mkdir()
        deaths = 0
        # Those that go on die, too, some of them: at most three times in a row.
        while True:
            at = chance.randrange(1, total + 20) if deaths < 3 else None
            after = chance.random() < 0.5
            status = forked(lambda: attempt(engine, place, Killer(at, after=after)))  # noqa: B023
            if status == 0:
                break
            assert os.WIFSIGNALED(status), f"point {number}, statement {at}"
            assert os.WTERMSIG(status) == signal.SIGKILL
            deaths += 1
        check(place)
    print(f"{points} points of {total} statements")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
