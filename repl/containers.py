"""`exec` and `jobs`: commands in a container, with the workspace's files.

What a command writes goes to where a command's output goes; all talk goes to stderr, and
the exit code is the command's own.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from vshell.ops.context import Context

from .commands import Call, Command
from .grammar import Argument, UsageError, whole_number
from .output import Output, counted, printable

if TYPE_CHECKING:
    from vshell.sync.container import Container
    from vshell.sync.jobs import Job, Phase

TIMEOUT: Final = 124
INTERRUPTED: Final = 130
_UNKNOWN: Final = 125
"""What `docker run` ends with when it is its own failure and not the command's."""

_POLICIES: Final = ("safe", "workspace-wins", "container-wins", "merge", "fail")
_UNITS: Final = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SHOWN_CONFLICTS: Final = 20


def container_commands() -> list[Command]:
    """Return the subcommands."""
    return [
        Command(
            "exec",
            "containers",
            lambda: "Run a command in a container on the workspace's files, and bring back its.",
            _exec_arguments,
            _exec,
            creates=True,
            description=lambda: _EXEC,
        ),
        Command(
            "jobs",
            "containers",
            lambda: "List what ran in containers; show, cancel or resume one job.",
            _jobs_arguments,
            _jobs,
        ),
    ]


_EXEC: Final = """\
Run a command in a container on the workspace's files, and bring back its changes.

Write -- before the command, so that its options are its own. The container has no network
unless --network is given, and stays for the next time with what is cache in it, such as
node_modules. The exit code is the command's; 125: it never ran, or nobody knows."""


def _exec_arguments() -> list[Argument]:
    return [
        Argument("image", "The image of the container.", metavar="IMAGE", required=True),
        Argument("command", "The command.", metavar="COMMAND", required=True, repeated=True),
        Argument("network", "Let it reach the network.", ("--network",), value=True),
        Argument("env", "A variable for it.", ("-e", "--env"), "NAME=VALUE", repeated=True),
        Argument("cwd", "Where it runs in the workspace.", ("-C", "--cwd"), "DIR"),
        Argument("user", "Who runs it, as `docker run --user` has it.", ("-u", "--user"), "USER"),
        Argument(
            "mount",
            "A directory of the host for it to read; to write with :rw.",
            ("--mount",),
            "HOSTDIR:DIR[:rw]",
            repeated=True,
        ),
        Argument("timeout", "End it after so long.", ("--timeout",), "SECONDS", float),
        Argument(
            "memory",
            "How much memory it may have (default: 4g).",
            ("--memory",),
            "SIZE",
            _size,
            "a size, such as 512m",
        ),
        Argument("cpus", "How many processors it may have.", ("--cpus",), "N", float),
        Argument(
            "cache",
            "What stays in the container (default: node_modules/ .venv/ target/).",
            ("--cache",),
            "PATTERN",
            repeated=True,
        ),
        Argument("ignore", "What never goes there.", ("--ignore",), "PATTERN", repeated=True),
        Argument(
            "policy",
            "What to do when both sides changed the same (default: safe).",
            ("--policy",),
            choices=_POLICIES,
        ),
        Argument("name", "Which container of the workspace.", ("--name",), "NAME"),
        Argument("remove", "Remove the container afterwards.", ("--rm",), value=True),
        Argument("daemon", "Where the daemon listens.", ("--daemon",), "URL"),
        Argument("quiet", "Say only what went wrong.", ("-q", "--quiet"), value=True),
    ]


def _exec(call: Call) -> int:
    from vshell.sync.container_opening import open_container

    values, output = call.values, call.output
    context = call.open()
    with open_container(
        context.files,
        values["image"],
        session=context.name,
        cwd=context.cwd,
        env=dict(map(_variable, values.get("env", ()))),
        mounts=dict(map(_mount, values.get("mount", ()))),
        limits=_limits(values),
        **_given(values, "network", "user", "cache", "ignore", "policy", "name", "daemon"),
    ) as container:
        try:
            job = _run(container, values, output)
        finally:
            if values.get("remove"):
                container.remove()
    if output.as_json:
        output.json(job.as_dict())
    else:
        _conclude(job, output, quiet=bool(values.get("quiet")))
    return _exit_code(job)


def _run(container: Container, values: dict[str, Any], output: Output) -> Job:
    def stream(name: str, data: bytes) -> None:
        if output.as_json:
            return
        if name == "stdout":
            output.data(data)
            output.flush()
        elif sys.stderr is not None:
            sys.stderr.flush()
            buffer = getattr(sys.stderr, "buffer", None)
            if buffer is None:
                sys.stderr.write(data.decode("utf-8", "replace"))
            else:
                buffer.write(data)
                buffer.flush()

    def on_phase(phase: Phase) -> None:
        if not values.get("quiet") and sys.stderr is not None and sys.stderr.isatty():
            output.talk(output.style(f"{phase} ...", "dim", sys.stderr))

    return container.exec(
        values["command"],
        timeout_s=values.get("timeout"),
        stream=stream,
        cwd=values.get("cwd"),
        on_phase=on_phase,
    )


def _conclude(job: Job, output: Output, *, quiet: bool) -> None:
    if not quiet and (job.pushed_total or job.pulled_total):
        sent, back = counted(job.pushed_total, "path"), counted(job.pulled_total, "path")
        output.talk(f"job {job.id}: {sent} to the container, {back} back")
    for conflict in job.conflicts[:_SHOWN_CONFLICTS]:
        chosen = f"the {conflict.resolution} won" if conflict.resolution else "not resolved yet"
        output.talk(f"conflict: {printable(conflict.path)} ({chosen})")
    for skipped in job.skipped[:_SHOWN_CONFLICTS]:
        output.talk(f"skipped: {printable(skipped.path)}: {skipped.reason}")
    more = max(0, len(job.conflicts) - _SHOWN_CONFLICTS)
    more += max(0, job.skipped_total - _SHOWN_CONFLICTS)
    if more:
        output.talk(f"... and {more} more: `vshell jobs {job.id}`")
    if job.timed_out:
        output.complaint("timeout", "the command took too long and was ended")
    if job.phase in ("lost", "failed", "pull_pending"):
        hint = f"`vshell jobs {job.id} --resume`" if job.phase == "pull_pending" else None
        output.complaint(job.phase, f"job {job.id}: {job.error}", hint)


def _exit_code(job: Job) -> int:
    if job.timed_out:
        return TIMEOUT
    return _UNKNOWN if job.exit_code is None else job.exit_code


# Jobs.


def _jobs_arguments() -> list[Argument]:
    return [
        Argument("job", "Show this one.", metavar="JOB", convert=whole_number),
        Argument("n", "How many to list (default: 20).", ("-n",), "N", whole_number),
        Argument("resume", "Bring it to its end; without JOB, all.", ("--resume",), value=True),
        Argument("cancel", "End its command.", ("--cancel",), value=True),
        Argument("daemon", "Where the daemon listens.", ("--daemon",), "URL"),
    ]


def _jobs(call: Call) -> int:
    from vshell.sync.jobs import find_job, list_jobs

    values, output = call.values, call.output
    context = call.open()
    number = values.get("job")
    if values.get("cancel"):
        if number is None:
            raise UsageError("--cancel needs the number of a job")
        container = _container_of(context, find_job(context.files, number), values)
        with container:
            jobs = [container.cancel(number)]
    elif values.get("resume"):
        jobs = _resume(context, number, values)
    elif number is not None:
        jobs = [find_job(context.files, number)]
    else:
        listed = list_jobs(context.files, limit=values.get("n", 20))
        if output.as_json:
            output.json(listed.as_dict())
        else:
            for job in listed.jobs:
                output.line(_line(job))
        return 0
    if output.as_json:
        output.json([job.as_dict() for job in jobs])
    else:
        for job in jobs:
            _show(job, output)
    return 0


def _resume(context: Context, number: int | None, values: dict[str, Any]) -> list[Job]:
    from vshell.sync.container_memory import known_containers
    from vshell.sync.container_opening import reopen_container
    from vshell.sync.jobs import find_job

    if number is not None:
        with _container_of(context, find_job(context.files, number), values) as container:
            return list(container.resume(number))
    found: list[Job] = []
    for name in known_containers(context.files):
        with reopen_container(
            context.files, name, session=context.name, daemon=values.get("daemon")
        ) as container:
            found += container.resume()
    return found


def _container_of(context: Context, job: Job, values: dict[str, Any]) -> Container:
    from vshell.sync.container_opening import reopen_container

    return reopen_container(
        context.files, job.container, session=context.name, daemon=values.get("daemon")
    )


def _line(job: Job) -> str:
    code = "-" if job.exit_code is None else str(job.exit_code)
    command = printable(" ".join(job.command)).replace("\n", " ")
    return f"{job.id:>4}  {job.phase:<12}  {code:>3}  {job.container:<12}  {command}"


def _show(job: Job, output: Output) -> None:
    output.line(_line(job))
    for way, changes in (("to the container", job.pushed), ("back", job.pulled)):
        for change in changes:
            output.line(f"  {way}: {change.action} {output.name(change.path)}")
    for conflict in job.conflicts:
        output.line(f"  conflict: {output.name(conflict.path)}")
    for skipped in job.skipped:
        output.line(f"  skipped: {output.name(skipped.path)}: {skipped.reason}")
    if job.error:
        output.line(f"  {job.error}")
    output.data(job.stdout)
    if sys.stderr is not None and job.stderr:
        output.talk(job.stderr.decode("utf-8", "backslashreplace").rstrip("\n"))


# What is typed.


def _given(values: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


def _limits(values: dict[str, Any]) -> dict[str, Any]:
    named = {"max_memory_bytes": "memory", "max_cpus": "cpus"}
    return {limit: values[name] for limit, name in named.items() if name in values}


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise UsageError(f"--env needs NAME=VALUE, not {text!r}")
    return name, value


def _mount(text: str) -> tuple[str, str]:
    outside, _, inside = text.removesuffix(":rw").rpartition(":")
    if not outside or not inside:
        raise UsageError(f"--mount needs HOSTDIR:DIR, not {text!r}")
    return inside, f"{outside}:rw" if text.endswith(":rw") else outside


def _size(text: str) -> int:
    unit = _UNITS.get(text[-1:].lower())
    size = float(text[:-1]) * unit if unit else float(text)
    if not 0 < size < 1 << 62:
        raise ValueError(text)
    return int(size)
