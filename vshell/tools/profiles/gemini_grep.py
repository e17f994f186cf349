"""`grep_search` of the `gemini` profile: few matches are shown with the lines around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from vshell.fs.paths import split
from vshell.ops.context import Context
from vshell.ops.grep import GrepMatch, GrepResult, grep
from vshell.tools.match_lines import shown_lines
from vshell.tools.profile import Arguments
from vshell.tools.result import ToolError
from vshell.tools.window import shortened

_MATCHES: Final = 100
_LINE_CHARACTERS: Final = 2000
_FEW: Final = 3
_AROUND_ONE: Final = 50
_AROUND_FEW: Final = 15


def run_grep(context: Context, given: Arguments) -> str:
    """Search the text of files."""
    start = context.resolve(given.get("dir_path", context.cwd))
    limit = int(given.get("total_max_matches", _MATCHES))
    around = int(given.get("context", _AROUND_ONE if _decides_itself(given) else 0))
    found = grep(
        context,
        given["pattern"],
        path=start,
        include=given.get("include_pattern"),
        literal=given.get("fixed_strings", False),
        ignore_case=not given.get("case_sensitive", False),
        before=int(given.get("before", around)),
        after=int(given.get("after", around)),
        max_matches=limit,
        max_per_file=given.get("max_matches_per_file"),
        mode="files" if given.get("names_only") else "lines",
        ignore=not given.get("no_ignore", False),
    )
    filtered = f' (filter: "{given["include_pattern"]}")' if given.get("include_pattern") else ""
    where = f'for pattern "{given["pattern"]}" in path "{start}"{filtered}'
    base = start if context.files.stat(start).kind == "directory" else split(start)[0]
    limited = f" (results limited to {limit} matches for performance)" if found.truncated else ""
    if given.get("names_only"):
        return _names(found, base, where, limited)
    matches = list(_wanted(found.matches, given))
    if not matches:
        return f"No matches found {where}."
    plural = "match" if len(matches) == 1 else "matches"
    head = f"Found {len(matches)} {plural} {where}{limited}:"
    return "\n".join([head, *_lines(matches, base), "---"])


def _decides_itself(given: Arguments) -> bool:
    """Whether the model leaves it to the tool how many lines there are around matches."""
    return not {"context", "before", "after", "names_only"} & {
        name for name, value in given.items() if value is not False
    }


def _names(found: GrepResult, base: str, where: str, limited: str) -> str:
    if not found.files:
        return f"No matches found {where}."
    names = [_below(path, base) for path in found.files]
    return "\n".join([f"Found {len(names)} files with matches {where}{limited}:", *names])


def _wanted(matches: tuple[GrepMatch, ...], given: Arguments) -> Iterator[GrepMatch]:
    unwanted = _line_test(given["exclude_pattern"]) if "exclude_pattern" in given else None
    kept = [match for match in matches if unwanted is None or not unwanted(match.text)]
    if not _decides_itself(given):
        yield from kept
        return
    # What was asked for was for one match alone; several have less around them, many nothing.
    around = _AROUND_ONE if len(kept) == 1 else _AROUND_FEW if len(kept) <= _FEW else 0
    for match in kept:
        before = match.before[-around:] if around else ()
        yield replace(match, before=before, after=match.after[:around])


def _lines(matches: list[GrepMatch], base: str) -> Iterator[str]:
    last = ""
    for line in shown_lines(matches):
        if line.path != last:
            yield "---"
            yield f"File: {_below(line.path, base)}"
            last = line.path
        text = shortened(line.text.rstrip(), _LINE_CHARACTERS, "... [truncated]")
        yield f"L{line.number}{':' if line.is_match else '-'} {text}"


def _below(path: str, base: str) -> str:
    return path.removeprefix(base.rstrip("/") + "/")


def _line_test(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether a line matches a regular expression."""
    import regex

    try:
        compiled = regex.compile(pattern, regex.IGNORECASE)
    except regex.error as error:
        raise ToolError(f"Invalid regular expression in exclude_pattern: {error}") from None

    def matches(line: str) -> bool:
        try:
            return compiled.search(line, timeout=1.0) is not None
        except TimeoutError:
            raise ToolError("exclude_pattern takes too long on a line. Simplify it.") from None

    return matches
