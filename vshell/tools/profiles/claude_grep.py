"""`Grep` of the `claude` profile: ripgrep's options under Claude Code's names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vshell.ops.context import Context
from vshell.ops.grep import GrepResult, grep
from vshell.tools.match_lines import shown_lines
from vshell.tools.profile import Arguments
from vshell.tools.result import ToolError

_PAGE: Final = 250
_ONE_LINE_S: Final = 1.0
_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "c": ("*.c", "*.h"),
    "cpp": ("*.cpp", "*.cc", "*.cxx", "*.hpp", "*.hh", "*.hxx", "*.h"),
    "cs": ("*.cs",),
    "css": ("*.css", "*.scss"),
    "go": ("*.go",),
    "html": ("*.html", "*.htm"),
    "java": ("*.java",),
    "js": ("*.js", "*.jsx", "*.mjs", "*.cjs", "*.vue"),
    "json": ("*.json",),
    "kotlin": ("*.kt", "*.kts"),
    "md": ("*.md", "*.markdown"),
    "php": ("*.php",),
    "py": ("*.py", "*.pyi"),
    "ruby": ("*.rb",),
    "rust": ("*.rs",),
    "sh": ("*.sh", "*.bash", "*.zsh"),
    "sql": ("*.sql",),
    "swift": ("*.swift",),
    "toml": ("*.toml",),
    "ts": ("*.ts", "*.tsx", "*.mts", "*.cts"),
    "txt": ("*.txt",),
    "xml": ("*.xml",),
    "yaml": ("*.yaml", "*.yml"),
}
_OTHER_NAMES: Final = {
    "python": "py",
    "javascript": "js",
    "typescript": "ts",
    "markdown": "md",
    "yml": "yaml",
    "csharp": "cs",
}


def run_grep(context: Context, given: Arguments) -> str:
    """Search, and return the output that the mode asks for."""
    mode = given.get("output_mode", "files_with_matches")
    around = int(given.get("context") or given.get("-C") or 0)
    found = grep(
        context,
        given["pattern"],
        path=given.get("path", context.cwd),
        include=_include(given),
        ignore_case=given.get("-i", False),
        before=int(given.get("-B", around)) if mode == "content" else 0,
        after=int(given.get("-A", around)) if mode == "content" else 0,
        multiline=given.get("multiline", False),
        mode="count" if mode == "count" else "files" if mode != "content" else "lines",
        ignore=True,
    )
    if mode == "content":
        return _content(found, given)
    if mode == "count":
        return _counts(found, given)
    return _files(context, found, given)


def _include(given: Arguments) -> list[str] | None:
    globs = [part for part in given.get("glob", "").split() if part]
    if "type" in given:
        kind = str(given["type"])
        wanted = _TYPES.get(_OTHER_NAMES.get(kind, kind))
        if wanted is None:
            raise ToolError(
                f"unrecognized file type: {kind[:100]}. Use glob instead, or one of"
                f" {', '.join(_TYPES)}."
            )
        if globs:
            raise ToolError("Give either glob or type, not both.")
        globs = list(wanted)
    return globs or None


def _page(entries: list[str], given: Arguments, found: GrepResult) -> tuple[list[str], str]:
    """Return the entries to show, and a note when there are others."""
    limit, offset = int(given.get("head_limit", _PAGE)), int(given.get("offset", 0))
    end = len(entries) if not limit else offset + limit
    note = ""
    if offset or end < len(entries) or found.truncated:
        note = f"\n\n[Showing results with pagination = limit: {limit or 'none'}, offset: {offset}]"
    if found.truncated:
        note += f"\n[The search stopped early ({found.truncated_by}): narrow the path or pattern.]"
    return entries[offset:end], note


def _files(context: Context, found: GrepResult, given: Arguments) -> str:
    if not found.files:
        return "No files found"
    newest = sorted(found.files, key=lambda path: -context.files.stat(path).mtime_ns)
    shown, note = _page(newest, given, found)
    plural = "file" if len(newest) == 1 else "files"
    return "\n".join([f"Found {len(newest)} {plural}", *shown]) + note


def _counts(found: GrepResult, given: Arguments) -> str:
    if not found.counts:
        return "No matches found"
    lines = [f"{row.path}:{row.count}" for row in found.counts]
    shown, note = _page(lines, given, found)
    total = sum(row.count for row in found.counts)
    plural = "occurrence" if total == 1 else "occurrences"
    files = "file" if len(lines) == 1 else "files"
    summary = f"\n\nFound {total} total {plural} across {len(lines)} {files}."
    return "\n".join(shown) + summary + note


def _content(found: GrepResult, given: Arguments) -> str:
    if not found.matches:
        return "No matches found"
    if given.get("-o"):
        lines = list(_only_matching(found, given))
    else:
        lines = list(_lines(found, numbers=given.get("-n", True)))
    shown, note = _page(lines, given, found)
    return "\n".join(shown) + note


def _only_matching(found: GrepResult, given: Arguments) -> Iterator[str]:
    import regex

    flags = regex.MULTILINE | (regex.IGNORECASE if given.get("-i") else 0)
    pattern = regex.compile(given["pattern"], flags)
    for match in found.matches:
        number = f"{match.line}:" if given.get("-n", True) else ""
        try:
            hits = [hit.group() for hit in pattern.finditer(match.text, timeout=_ONE_LINE_S)]
        except TimeoutError:
            raise ToolError("The pattern takes too long on a line. Simplify it.") from None
        yield from (f"{match.path}:{number}{hit}" for hit in hits if hit)


def _lines(found: GrepResult, *, numbers: bool) -> Iterator[str]:
    """Yield lines as ripgrep prints them: `:` after what matches, `-` after what is around it."""
    separated = any(match.before or match.after for match in found.matches)
    for place, line in enumerate(shown_lines(found.matches)):
        if separated and place and not line.follows:
            yield "--"
        sign = ":" if line.is_match else "-"
        number = f"{line.number}{sign}" if numbers else ""
        yield f"{line.path}{sign}{number}{line.text}"
