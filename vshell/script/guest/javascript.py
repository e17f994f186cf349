"""A JavaScript script in the jail: QuickJS, driven to its end.

`prelude.js` is what the script finds and what runs it; `node.js` is added for programs.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from vshell.jail.channel import GuestChannel
from vshell.script.guest.host import Host
from vshell.script.values import encode, tagged, untagged

__all__ = ["prepare", "run", "warm"]

_FIRST_OWN_LINE: Final = 100_000
"""The lines of vshell's own JavaScript begin here, so that traces can leave them out."""

_STACK_BYTES: Final = 1024**2
_HEAP_SHARE: Final = 0.75
"""Of the address space that a job may have: QuickJS fails in an orderly way at its own
limit, and memory that it cannot use for being scattered counts against the other."""

_host: Final = Host()
_sources: Final[dict[str, str]] = {}
_kept: Final[dict[str, Any]] = {}


def prepare() -> None:
    """Load the engine, while there are files to load it from."""
    for name in ("prelude", "node"):
        _sources[name] = Path(__file__).with_name(f"{name}.js").read_text("utf-8")


def warm() -> None:
    """Make the context that every script starts from."""
    context = sys.modules["_quickjs"].Context()
    context.set_max_stack_size(_STACK_BYTES)
    context.add_callable("exchange", _exchange)
    context.add_callable("log", _log)
    context.add_callable("exit", _exit)
    context.eval("globalThis.vshell = " + _own(_sources["prelude"]))
    context.eval(f"vshell = vshell(exchange, log, {_FIRST_OWN_LINE}); vshell.exit = exit;")
    _kept["context"] = context
    _kept["node"] = _own(_sources["node"])


def _own(source: str) -> str:
    return "\n" * _FIRST_OWN_LINE + source.strip()


def _exchange(frame: str) -> str:
    answer = _host.exchange(frame.encode("utf-8", "surrogatepass"))
    try:
        return answer.decode()
    except UnicodeDecodeError:  # half of a pair: the engine takes it escaped only
        return json.dumps(json.loads(answer.decode("utf-8", "surrogatepass")))


def _log(text: str) -> None:
    stream, content = json.loads(text)
    _host.log(stream, content if not _kept.get("bytes") else content.encode("utf-8", "replace"))


def _exit(code: float) -> NoReturn:
    _host.finish("done", int(code) & 0xFF)


def run(channel: GuestChannel, job: Mapping[str, Any]) -> None:
    """Run a script and end the process."""
    _host.connect(channel)
    try:
        if job["mode"] == "program":
            _run_program(job)
        else:
            _run_function(job)
    except sys.modules["_quickjs"].JSException as error:
        _fail_outside(job, str(error))
    except MemoryError:
        _fail_outside(job, "out of memory")


def _ready(job: Mapping[str, Any], more: str = "") -> Any:
    """Give a context what a job says; return the function that a phrase in it names."""
    context = _kept["context"]
    context.set_memory_limit(int(job["memory_bytes"] * _HEAP_SHARE))
    offered = [job["methods"], job["functions"], job["inputs"]]
    context.set("offered", json.dumps(offered))
    context.eval("vshell.offer(offered)")
    if job["deterministic"]:
        start_ms = job["now_ns"] // 1_000_000
        context.eval(f"vshell.deterministic({job['seed'] % 2**32}, {start_ms})")
    taken = ["exchange", "log", "exit", "vshell", "offered", "node", "options"]
    deleted = " ".join(f"delete globalThis.{name};" for name in taken)
    context.eval(
        "\n"
        * (_FIRST_OWN_LINE if more else 0)
        + "globalThis.drive = (({start, poll, wait, fire, inner, exit}) => {"
        f"{more} return {{start, poll, wait, fire}}; }})(vshell); {deleted}"
    )
    parts = {}
    for name in ("start", "poll", "wait", "fire"):
        context.eval(f"globalThis.part = drive.{name}")
        parts[name] = context.get("part")
    context.eval("delete globalThis.part; delete globalThis.drive;")
    return context, parts


def _drive(context: Any, parts: Mapping[str, Any], *, until_idle: bool) -> str:
    """Run jobs and timers; return what came of it, or nothing if it waits for ever."""
    while True:
        while context.execute_pending_job():
            pass
        if not until_idle:
            outcome: str = parts["poll"]()
            if outcome:
                return outcome
        wait_ms = parts["wait"]()
        if wait_ms < 0:
            return str(parts["poll"]())
        if wait_ms:
            _host.flush()
            time.sleep(wait_ms / 1000)
        parts["fire"]()


def _run_function(job: Mapping[str, Any]) -> None:
    context, parts = _ready(job)
    parts["start"](json.dumps(job["source"]), "function")
    outcome = _drive(context, parts, until_idle=False)
    if not outcome:
        message = "the script awaits a promise that never settles"
        _host.finish("failed", "Error", message, None, "")
    _host.send(outcome.encode("utf-8", "surrogatepass"))


def _run_program(job: Mapping[str, Any]) -> None:
    _kept["bytes"] = True
    context = _kept["context"]
    options: dict[str, Any] = {
        "name": job["name"],
        "arguments": job["arguments"],
        "stdin": untagged(job["stdin"]),
    }
    context.set("options", json.dumps(tagged(options)))
    context.eval("globalThis.node = " + _kept["node"])
    more = """
        const options = inner.read(globalThis.options);
        options.exit = exit;
        const { program, code, uncaught } = globalThis.node(inner, options);
        start = (text) => {
          const source = inner.read(text);
          let outcome;
          try { outcome = program(source); } catch (error) { inner.settle("error", error); return; }
          inner.then((async () => outcome)(), () => inner.settle("value", 0),
            (error) => inner.settle("error", error));
        };
        const ended = poll;
        poll = () => {
          const outcome = ended();
          if (!outcome.startsWith('["failed"')) return inner.stringify(["done", +code()]);
          inner.write("stderr", uncaught(inner.failed()));
          return '["done",1]';
        };
    """
    _, parts = _ready(job, more)
    parts["start"](json.dumps(job["source"]))
    outcome = _drive(context, parts, until_idle=True)
    _host.send(outcome.encode("utf-8", "surrogatepass"))


def _fail_outside(job: Mapping[str, Any], text: str) -> None:
    """Report what went wrong where no handler of JavaScript could run."""
    head = text.strip().split("\n", 1)[0]
    kind, _, message = head.partition(": ")
    if "out of memory" in head:
        kind, message = "MemoryError", "the script used all memory that it may"
    if job["mode"] == "program":
        _host.log("stderr", f"Uncaught {head}\n".encode("utf-8", "replace"))
        _host.finish("done", 1)
    _host.send(encode(["failed", kind[:100], message, None, text[:100_000]]))
