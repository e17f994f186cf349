"""Other projects' shell tests, run by bash and by vshell: `python -m tests.compat.shell_corpora`.

    PATH   a checkout, or a part of one, of oils-for-unix/oils, magicant/yash, mvdan/sh,
           reubeno/brush, vercel-labs/just-bash (with its cases of sed and grep),
           onetrueawk/awk, jqlang/jq, BusyBox or Toybox

What counts is what bash 5 and the host's commands do, as nobody and shut in: a case whose
outcome differs from one run of bash to the next is left out, and so is a case of a suite
with an expectation of its own which the host's command does not meet. Each case starts in a
directory and a workspace of its own. Nothing of the corpora is stored here.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import pickle
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Final

from tests.compat.corpora import applets, host, languages, programs
from tests.compat.corpora.case import ENVIRONMENT, HOME, TIMEOUT_S, Case, Outcome
from vshell import Workspace

READERS: Final[tuple[Callable[[Path], Iterator[Case]], ...]] = (
    languages.oils,
    languages.yash,
    languages.mvdan,
    languages.brush,
    languages.busybox_shell,
    applets.busybox,
    applets.toybox,
    languages.just_bash,
    programs.spencer_grep,
    programs.python_sed,
    programs.one_true_awk,
    programs.jq,
)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.compat.shell_corpora",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--only", default="", metavar="TEXT", help="rows with TEXT in their names")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each Nth case only")
    parser.add_argument("--name", default="", help="cases with this in their names only")
    parser.add_argument("--engine", action="store_true", help="run the engine alone, too")
    parser.add_argument("--cache", type=Path, help="a directory to keep what the others did in")
    parser.add_argument("--failing", type=Path, help="a file for the cases that differ")
    parser.add_argument("--jobs", type=int, default=2)
    found = parser.parse_args()
    cases = [
        case
        for case in read(found.paths, found.only, found.cache)
        if found.only in case.corpus and found.name in case.name
    ][:: found.every]
    counted, passed, alone = Counter[str](), Counter[str](), Counter[str]()
    failing = found.failing.open("w", errors="surrogateescape") if found.failing else None
    judge = partial(judged, engine=found.engine, kept=found.cache)
    with ProcessPoolExecutor(found.jobs, multiprocessing.get_context("spawn")) as pool:
        for case, result in zip(cases, pool.map(judge, cases, chunksize=4), strict=True):
            if result is None:
                continue
            wanted, ours, engine = result
            counted[case.corpus] += 1
            passed[case.corpus] += case.passes(ours, wanted)
            alone[case.corpus] += engine is not None and case.passes(engine, wanted)
            if failing is not None and not case.passes(ours, wanted):
                failing.write(_described(case, wanted, ours, engine))
                failing.flush()
    print("| corpus | cases | as bash |" + (" the engine alone |" if found.engine else ""))
    print("|---|---|---|" + ("---|" if found.engine else ""))
    for corpus, count in counted.items():
        line = f"| {corpus} | {count:,} | {100 * passed[corpus] / count:.1f} % |"
        print(line + (f" {100 * alone[corpus] / count:.1f} % |" if found.engine else ""))
    return 0


def read(paths: list[Path], only: str, kept: Path | None) -> list[Case]:
    """Return the cases of all checkouts; a case that is there twice counts once."""
    cases: dict[str, Case] = {}
    for path in paths:
        for reader in READERS:
            stored = kept / f"{path.name}-{reader.__name__}.cases" if kept else None
            if stored is not None and stored.is_file():
                found = pickle.loads(stored.read_bytes())
            else:
                found = list(reader(path))
                if stored is not None:
                    stored.parent.mkdir(exist_ok=True)
                    stored.write_bytes(pickle.dumps(found))
            for case in found:
                cases.setdefault(_key(case), case)
    return list(cases.values())


def _key(case: Case) -> str:
    what = (case.corpus, case.script, sorted(case.files.items(), key=lambda each: each[0]))
    return hashlib.sha256(repr(what).encode("utf-8", "surrogateescape")).hexdigest()


def judged(
    case: Case, *, engine: bool, kept: Path | None
) -> tuple[Outcome, Outcome, Outcome | None] | None:
    """Return what is wanted, what vshell does and what the engine alone does."""
    wanted = case.expected or _once(case, kept, "", _by_bash_twice)
    if wanted is None:
        return None
    alone = _once(case, kept, ".engine", by_engine) if engine else None
    return wanted, by_vshell(case), alone


def _by_bash_twice(case: Case) -> Outcome | None:
    found = host.by_bash(case)
    return found if found is not None and found == host.by_bash(case) else None


def _once(
    case: Case, kept: Path | None, suffix: str, run: Callable[[Case], Outcome | None]
) -> Outcome | None:
    """Return what a run of a case gave, which is kept for the next time."""
    stored = kept / f"{_key(case)}{suffix}" if kept else None
    if stored is not None and stored.is_file():
        known: Outcome | None = pickle.loads(stored.read_bytes())
        return known
    found = run(case)
    if stored is not None:
        stored.write_bytes(pickle.dumps(found))
    return found


def by_vshell(case: Case) -> Outcome:
    """Run a case in a workspace that has nothing else in it."""
    workspace = _workspace()
    for entry in workspace.ls("/").entries:
        workspace.rm(entry.path, recursive=True)
    workspace.mkdir(HOME, parents=True)
    for path, content in case.files.items():
        if content is None:
            workspace.mkdir(path, parents=True, exist_ok=True)
        elif isinstance(content, str):
            workspace.symlink(content, path)
        else:
            workspace.write(path, content)
            if path in case.executable:
                workspace.chmod(path, 0o755)
    for name, source in case.hard_links.items():
        workspace.link(source, name)
    for path, (mode, mtime_ns) in case.attributes.items():
        workspace.chmod(path, mode)
        workspace.utime(path, mtime_ns=mtime_ns)
    session = workspace.session("corpus", cwd=HOME, environment=ENVIRONMENT)
    with session.shell() as shell:
        result = shell.run(case.script, timeout_s=TIMEOUT_S)
    return Outcome(result.stdout, result.exit_code)


@cache
def _workspace() -> Workspace:
    """Return this process' workspace: a worker's template is started once for each."""
    return Workspace.memory()


def by_engine(case: Case) -> Outcome:
    """Run a case by bashkit as it comes, in a process of its own, which it may crash."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_engine_alone, args=(case, theirs), daemon=False)
    process.start()
    theirs.close()
    try:
        if ours.poll(TIMEOUT_S):
            found: Outcome = ours.recv()
            return found
        return Outcome(b"", 124)
    except EOFError:
        return Outcome(b"", 139)
    finally:
        process.kill()
        process.join()


def _engine_alone(case: Case, answer: multiprocessing.connection.Connection) -> None:
    from bashkit import Bash

    bash = Bash(cwd=HOME, env={**ENVIRONMENT})
    bash.mkdir(HOME, True)
    for path, content in case.files.items():
        if content is None:
            bash.mkdir(path, True)
        elif isinstance(content, str):
            bash.symlink(content, path)
        else:
            bash.mkdir(path.rpartition("/")[0], True)
            bash.fs().write_file(path, content)
            if path in case.executable:
                bash.chmod(path, 0o755)
    script = case.script.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    result = bash.execute_sync(script)
    answer.send(Outcome(result.stdout.encode("utf-8", "replace"), result.exit_code))


def _described(case: Case, wanted: Outcome, ours: Outcome, engine: Outcome | None) -> str:
    alone = "" if engine is None or not case.passes(engine, wanted) else " ENGINE PASSES"
    text = case.script if len(case.script) < 3000 else case.script[-3000:]
    return (
        f"#### {case.corpus} | {case.name}{alone}\n{text}\n-- wanted {wanted}\n-- ours   {ours}\n\n"
    )


if __name__ == "__main__":
    sys.exit(main())
