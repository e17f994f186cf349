"""The `code` profile: one tool, which runs a script against `state`.

A model that writes ten lines of code needs one call where other profiles need ten. The
description holds the typed stubs of what the script can call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from vshell.errors import RangeError, UnavailableError, VshellError
from vshell.ops.context import Context
from vshell.script.engine import Language
from vshell.script.stubs import stubs
from vshell.tools.commands import keep_ends
from vshell.tools.profile import Arguments, Profile, Tool
from vshell.tools.result import ToolResult
from vshell.tools.schema_parts import flag, record, text

_MAX_OUTPUT_CHARACTERS: Final = 30_000
_LISTED_CHANGES: Final = 100

_EXAMPLES: Final = {
    "python": 'for path in state.glob("src/**/*.py"):\n'
    '    state.replace_in_file(path, "old_name", "new_name")\n'
    "return len(state.glob('src/**/*.py'))",
    "javascript": 'async () => {\n  const files = await state.glob("src/**/*.ts");\n'
    "  return files.length;\n}",
}


def code_profile(
    context: Context,
    *,
    languages: tuple[Language, ...] = ("python", "javascript"),
    limits: Mapping[str, Any] | None = None,
) -> Profile:
    """Return the tool run_code.

    Args:
        context: What scripts work in.
        languages: In which languages they may be; the first is the default.
        limits: What a script may use, as `Session.run` takes it.

    Raises:
        RangeError: There is no such language, or none is given.
    """
    unknown = [each for each in languages if each not in _EXAMPLES]
    if unknown or not languages:
        raise RangeError(f"languages must be python or javascript, not {unknown or 'nothing'}")
    tool = Tool(
        "run_code",
        _description(languages),
        record(
            ("code",),
            code=text("The script"),
            language=text(f"Its language (default: {languages[0]})", *languages),
            dry_run=flag("Say what would change, and change nothing"),
        ),
        lambda context, given: _run(context, given, languages[0], limits),
        aliases={"source": "code", "script": "code"},
        changes=True,
        separate=True,
    )
    return Profile("code", [tool], context=context, render_error=render_error)


def render_error(error: VshellError) -> str:
    """Return an error of vshell as text for the model."""
    hint = f" ({error.hint})" if error.hint else ""
    return f"Error: {error}{hint}"


def _description(languages: tuple[Language, ...]) -> str:
    about = (
        "Runs a script in a sandbox against the files of the workspace, through `state`. There is"
        " no network and no other file system. All that it changes happens at once when it ends"
        " well, and nothing when it fails. What it returns is the result; what it prints is"
        " shown, too."
    )
    each = [
        f"{language}, for example:\n{_EXAMPLES[language]}\n\n{stubs(language, brief=True)}"
        for language in languages
    ]
    return "\n\n".join([about, *each])


def _run(
    context: Context, given: Arguments, language: str, limits: Mapping[str, Any] | None
) -> ToolResult:
    run = getattr(context, "run", None)
    if run is None:
        raise UnavailableError(
            "scripts cannot run in this installation", hint="use the file tools instead"
        )
    options = {} if limits is None else {"limits": limits}
    done = run(
        given["code"],
        language=given.get("language", language),
        dry_run=given.get("dry_run", False),
        **options,
    )
    record_of = done.as_dict()
    shown = {
        "status": record_of["status"],
        "value": record_of.get("value"),
        "logs": _logs(record_of.get("logs")),
        "error": record_of.get("error"),
        "changes": _changes(record_of.get("changes")),
    }
    kept = {name: value for name, value in shown.items() if value not in (None, "", [])}
    rendered = json.dumps(kept, ensure_ascii=False, default=str)
    failed = record_of["status"] not in ("ok", "paused")
    return ToolResult(keep_ends(rendered, _MAX_OUTPUT_CHARACTERS), is_error=failed, structured=kept)


def _changes(changes: Any) -> list[str]:
    """Return what a model needs to know of changes: what happened to which path."""
    told = [f"{each['action']} {each['path']}" for each in changes or ()]
    more = len(told) - _LISTED_CHANGES
    return [*told[:_LISTED_CHANGES], f"... and {more} more"] if more > 0 else told


def _logs(logs: Any) -> Any:
    if isinstance(logs, str):
        return keep_ends(logs, _MAX_OUTPUT_CHARACTERS // 2)
    return logs
