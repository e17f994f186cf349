"""Which engine runs a script: the cheapest that can."""

from __future__ import annotations

from typing import Final

from vshell.errors import RangeError
from vshell.script.engine import Engine, Job, Unavailability
from vshell.script.loop import Ending
from vshell.script.pool import ENGINES, Scripts
from vshell.script.source import Source

__all__ = ["choose", "lacks"]

_LACKING: Final = {
    "AttributeError",
    "ImportError",
    "ModuleNotFoundError",
    "NameError",
    "NotImplementedError",
    "SyntaxError",
    "TypeError",
}
"""What a script fails with when the engine lacks something; or because it is wrong, which the
next engine then says better."""


def choose(
    scripts: Scripts, source: Source, job: Job, engine: str | Engine, *, durable: bool
) -> list[Engine] | Unavailability:
    """Return the engines to try, in their order, or why there is none.

    Monty starts in a third of the time of a jailed process. A plain loop takes both as long; one
    that reads 200 files takes Monty twice as long, for the jail's answers read ahead and its
    patterns are C. So Monty comes first unless the script may repeat something more than a
    thousand times; for a durable run it always does, for its snapshots. An engine that the
    caller names is never replaced by another one.

    Args:
        scripts: Where engines come from.
        source: The script.
        job: The same, as engines get it.
        engine: `"auto"`, or the one that the caller wants.
        durable: Whether the run is to survive the host.

    Raises:
        RangeError: There is no such engine, or it does not run this language.
    """
    if not isinstance(engine, str):
        return _usable([engine], job)
    if engine != "auto":
        if engine in ENGINES and ENGINES[engine][1] != source.language:
            raise RangeError(f"the engine {engine} does not run {source.language}")
        return _usable([scripts.engine(engine)], job)
    names = [name for name, (_, language) in ENGINES.items() if language == source.language]
    if source.loops and not durable:
        names.reverse()
    return _usable([scripts.engine(name) for name in names], job)


def _usable(engines: list[Engine], job: Job) -> list[Engine] | Unavailability:
    usable: list[Engine] = []
    reasons: list[Unavailability] = []
    for engine in engines:
        reason = engine.available()
        if reason is None:
            usable.append(engine)
        else:
            reasons.append(reason)
    if not usable:
        return Unavailability(
            "; ".join(each.reason for each in reasons),
            "; ".join(each.hint for each in reasons if each.hint),
        )
    # One that lacks what the script uses still says so better than nobody.
    return [engine for engine in usable if engine.can_run(job)] or usable[-1:]


def lacks(ending: Ending) -> bool:
    """Tell whether a script may have failed for something that another engine has."""
    if ending.unsupported:
        return True
    return ending.status == "error" and ending.error is not None and ending.error.type in _LACKING
