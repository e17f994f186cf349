"""`run`: scripts in the sandbox. What they print and return goes to stdout, all talk to stderr."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .commands import Call, Command
from .grammar import Argument, UsageError, whole_number
from .output import Output, counted

if TYPE_CHECKING:
    from vshell.script.result import ScriptResult

_CODES: Final = {"ok": 0, "conflict": 3, "timeout": 124}
_LANGUAGES: Final = ("python", "javascript")
_ENGINES: Final = ("auto", "monty", "cpython", "quickjs")

_RUN: Final = """\
Run a script in a fresh sandbox, which has the workspace's files in reach and nothing else.

The script calls the methods of `state`; --types shows them. What it prints comes first, then
its result: what its function returns, or its last expression. All that it changed is applied
in one step when it has ended well, and nothing when it has not."""


def script_commands() -> list[Command]:
    """Return the subcommands."""
    return [
        Command(
            "run",
            "scripts",
            lambda: "Run a script in Python or JavaScript on the workspace's files, in a sandbox.",
            _arguments,
            _run,
            creates=True,
            description=lambda: _RUN,
        )
    ]


def _arguments() -> list[Argument]:
    return [
        Argument("file", "The script, a file of the host; - is stdin."),
        Argument(
            "types",
            "Show what a script can call: a stub in the language of --language or of the file.",
            ("--types",),
            value=True,
        ),
        Argument("language", "What it is written in.", ("--language",), choices=_LANGUAGES),
        Argument("engine", "What runs it (default: auto).", ("--engine",), choices=_ENGINES),
        Argument(
            "input",
            "A variable for it; the value is JSON, or else text.",
            ("--input",),
            "NAME=VALUE",
            repeated=True,
        ),
        Argument("dry_run", "Show the changes; apply nothing.", ("--dry-run",), value=True),
        Argument("commit", "Apply what a dry run showed.", ("--commit",), "RUN"),
        Argument("atomic", "Apply each call at once.", ("--no-atomic",), value=False),
        Argument("durable", "Keep what --resume needs.", ("--durable",), value=True),
        Argument("resume", "Go on with a durable run.", ("--resume",), "RUN"),
        Argument(
            "retries", "Run again after a conflict, so often.", ("--retries",), "N", whole_number
        ),
        Argument("timeout", "How long it may take.", ("--timeout",), "SECONDS", float, "a number"),
    ]


def _run(call: Call) -> int:
    values = call.values
    if "types" in values:
        from vshell.script.source import language_of
        from vshell.script.stubs import stubs

        language = values.get("language") or language_of("", name=values.get("file"))
        call.output.data(stubs(language))
        return 0
    chosen = [name for name in ("file", "commit", "resume") if name in values]
    if len(chosen) != 1:
        raise UsageError("give a script, or --commit RUN, or --resume RUN, or --types")
    limits = {"timeout_s": values["timeout"]} if "timeout" in values else None
    if chosen == ["file"]:
        source, name = _source(values["file"])
        return _report(_start(call, source, name, limits), call.output)

    from vshell.script.runs import Runs

    runs = Runs(call.open())
    if chosen == ["commit"]:
        return _report(runs.commit(values["commit"]), call.output)
    engine = values.get("engine")
    return _report(runs.resume(values["resume"], limits=limits, engine=engine), call.output)


def _start(
    call: Call, source: str, name: str | None, limits: dict[str, float] | None
) -> ScriptResult:
    from vshell.script.run import run
    from vshell.script.source import language_of

    values = call.values
    return run(
        call.open(),
        source,
        language=values.get("language") or language_of(source, name=name),
        inputs=dict(_input(text) for text in values.get("input", [])),
        atomic=values.get("atomic", True),
        dry_run=values.get("dry_run", False),
        durable=values.get("durable", False),
        engine=values.get("engine", "auto"),
        retries=values.get("retries", 0),
        limits=limits,
    )


def _source(file: str) -> tuple[str, str | None]:
    """Return the script and the name that tells its language."""
    if file == "-":
        return sys.stdin.buffer.read().decode("utf-8", "replace"), None
    return Path(file).read_bytes().decode("utf-8", "replace"), file


def _input(text: str) -> tuple[str, Any]:
    name, mark, value = text.partition("=")
    if not mark or not name.isidentifier():
        raise UsageError(f"an input is NAME=VALUE, not {text}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _report(result: ScriptResult, output: Output) -> int:
    if output.as_json:
        fields = result.as_dict()
        if result.dry_run:
            fields["patch"] = result.patch
        output.json(fields)
        return _CODES.get(result.status, 1)
    output.data(result.logs)
    if result.value is not None:
        output.line(_shown(result))
    if result.dry_run:
        output.data(result.patch)
    for path in (result.logs_path, result.value_path):
        if path is not None:
            output.talk(f"it is too long to show; all of it is in {path}")
    error = result.error
    if error is not None:
        where = f"line {error.line}: " if error.line is not None else ""
        output.complaint(result.status, f"{where}{error.type}: {error.message}", error.hint or None)
    elif result.dry_run and result.changes:
        changed = counted(len(result.changes), "change")
        output.talk(f"{changed}, not applied; `vshell run --commit {result.run_id}` does that")
    if result.status in ("paused", "timeout") and not result.dry_run:
        output.talk(f"the run is {result.run_id}")
    return _CODES.get(result.status, 1)


def _shown(result: ScriptResult) -> str:
    if isinstance(result.value, str):
        return result.value
    return json.dumps(result.as_dict()["value"], ensure_ascii=False, indent=2)
