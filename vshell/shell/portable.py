"""A shell's state as JSON, and as a script that makes it anew.

The engine's own form is exact and quick, but only its own version reads it. This one
outlives upgrades.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from vshell.shell.words import quoted


class Describable(Protocol):
    """What can say what state it is in."""

    def describe(self) -> dict[str, Any]: ...


def portable_of(engine: Describable) -> str:
    """Return the state of an engine as JSON."""
    return json.dumps(engine.describe(), ensure_ascii=True, sort_keys=True)


def restoring_script(environment: Mapping[str, str], cwd: str | None, portable: str | None) -> str:
    """Return a script that sets variables, makes a saved state anew, and goes to a directory."""
    lines = []
    if portable:
        state = json.loads(portable)
        lines.append(state.get("functions", ""))
        lines += [f"shopt -s {name}" for name in state.get("shopt", ())]
        lines += [f"alias {name}={quoted(text)}" for name, text in state.get("aliases", {}).items()]
        lines += [
            _assigned(name, value, state) for name, value in state.get("variables", {}).items()
        ]
        lines += [_array("-a", name, items) for name, items in state.get("arrays", {}).items()]
        lines += [
            _array("-A", name, items) for name, items in state.get("assoc_arrays", {}).items()
        ]
        cwd = cwd if cwd is not None else state.get("cwd")
    lines += [f"export {name}={quoted(value)}" for name, value in environment.items()]
    if cwd is not None:
        lines.append(f"cd -- {quoted(cwd)}")
    return "\n".join(line for line in lines if line)


def _assigned(name: str, value: str, state: Mapping[str, Any]) -> str:
    verb = "export " if name in state.get("exported", ()) else ""
    return f"{verb}{name}={quoted(value)}"


def _array(flag: str, name: str, items: Mapping[str, str]) -> str:
    words = " ".join(f"[{quoted(str(key))}]={quoted(value)}" for key, value in items.items())
    return f"declare {flag} {name}=({words})"
