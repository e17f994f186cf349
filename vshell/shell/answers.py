"""What a worker answers, as callers get it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vshell.ops.changeset import FileChange
from vshell.shell.engine import Plan, PlannedCommand, PlannedRedirect
from vshell.shell.result import ExplainedCommand, Explanation


def changes_of(told: Mapping[str, Any]) -> tuple[FileChange, ...]:
    """Return the changes that an answer lists."""
    return tuple(
        FileChange(**{name: value for name, value in each.items() if name != "action"})
        for each in told.get("changes", ())
    )


def plan_of(plain: Mapping[str, Any]) -> Plan:
    """Return a plan from its plain form."""
    return Plan(
        tuple(
            PlannedCommand(each["name"], tuple(each["arguments"]), each["context"])
            for each in plain["commands"]
        ),
        tuple(PlannedRedirect(**each) for each in plain["redirects"]),
        tuple(plain["functions"]),
        plain["opaque"],
    )


def explanation_of(told: Mapping[str, Any]) -> Explanation:
    """Return an explanation from the answer to `explain`."""
    return Explanation(
        commands=tuple(
            ExplainedCommand(tuple(words), verdict) for words, verdict in told["explained"]
        ),
        reads=tuple(told["reads"]),
        changes=changes_of(told),
        patch=told.get("patch", ""),
        exit_code=told["exit_code"],
        error=told["error"],
    )
