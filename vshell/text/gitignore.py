r"""The lines of a `.gitignore`, and what each of them matches.

The rules are those of gitignore(5) and, where that is silent, of git's `dir.c` and
`wildmatch.c`, as observed: names are bytes, an unclosed `[` or an unknown class makes
a rule that matches nothing, and `**` counts as "any directories" also right after
the literal text that a rule begins with, so that `/a**/b` matches `ax/y/b` and `ab`.

Text here is a *byte text*: a `str` with one character for each byte, see `byte_text`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from vshell.text.wildcards import (
    ANY_DEPTH,
    CLASSES,
    NEVER,
    Segment,
    Token,
    Wildcard,
    add_token,
    path_regex,
    read_set,
)

__all__ = ["Rule", "byte_text", "is_literal", "parse_rule", "parse_rules", "rule_regex"]

_SLASH: Final = "/"
_LITERAL = re.compile(r"[^*?\[\\]*")
_STARS = re.compile(r"\*+")
_SET_ITEM = re.compile(
    r"""\[:(?P<name>[^]]{0,255}):\]
      | (?P<low>\\. | [^\\]) (?:-(?P<high>\\. | [^]\\]))?""",
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a `.gitignore`.

    Attributes:
        body: The pattern, without what the other attributes say.
        negated: It began with `!`: what it matches is not ignored.
        directory_only: It ended with `/`.
        on_name: It has no slash: it is about names at any depth, and not about the path
            from the file's directory.
    """

    body: str
    negated: bool
    directory_only: bool
    on_name: bool


def byte_text(text: str | bytes) -> str:
    """Return a text as one character for each of its bytes in UTF-8.

    Git compares bytes; patterns of `str` are the faster ones in Python.
    """
    if isinstance(text, bytes):
        return text.decode("latin-1")
    if text.isascii():
        return text
    try:
        content = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        content = text.encode("utf-8", "surrogatepass")
    return content.decode("latin-1")


def parse_rules(text: str) -> Iterator[Rule]:
    """Yield the rules of a file, given as byte text."""
    for line in text.removeprefix("\xef\xbb\xbf").split("\n"):
        if line and line[0] != "#":
            # What follows a NUL is out of sight of a program in C.
            visible = line.removesuffix("\r").partition("\0")[0]
            yield parse_rule(_without_trailing_spaces(visible))


def _without_trailing_spaces(line: str) -> str:
    """Cut spaces at the end, but for one that an odd number of backslashes escapes."""
    if not line.endswith(" "):
        return line
    kept = line.rstrip(" ")
    backslashes = len(kept) - len(kept.rstrip("\\"))
    return line[: len(kept) + backslashes % 2]


def parse_rule(line: str) -> Rule:
    """Take a line apart; it is no comment, and its spaces count."""
    negated = line.startswith("!")
    directory_only = line.endswith("/") and line != "!"
    body = line[negated : len(line) - directory_only]
    anywhere, _, name = body.rpartition("/")
    if name and anywhere in ("**", "/**"):
        body = name  # about names, in other words
    return Rule(body, negated, directory_only, on_name="/" not in body)


def is_literal(text: str) -> bool:
    """Tell whether a body, or a part of it, has neither wildcards nor escapes."""
    return _LITERAL.fullmatch(text) is not None


def rule_regex(rule: Rule) -> str:
    """Return the pattern of `re` for what a rule matches, for `fullmatch` with DOTALL.

    Ordinary rules are translated by pathspec. It differs from git on brackets and
    backslashes (`[[:alpha:]]`, `a[!b]c` on `a/c`, a lone `\\`), and several stars in a
    segment make a regular expression of it that takes a time that grows with the power
    of their number. So these are translated here.

    Returns:
        A pattern for the name or the path, as `rule.on_name` says, in polynomial time.
    """
    if not _is_ordinary(rule.body):
        return _wildmatch_regex(rule.body)
    # 80 ms; most files have no rule that needs it.
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    regex, _ = GitIgnoreSpecPattern.pattern_to_regex(rule.body)
    # Several of these are put into one, where no name may be given twice.
    return NEVER if regex is None else re.sub(r"\(\?P<\w+>", "(?:", regex)


def _is_ordinary(body: str) -> bool:
    if body.startswith(("#", "!")) or "[" in body or "\\" in body or body.split() != [body]:
        return False
    segments = body.removeprefix("/").split("/")
    return (
        not set(segments) <= {"*", "**"}  # may have a form that holds for whole trees only
        and segments.count("**") <= 1
        and segments[-1] != "**"
        and all(name == "**" or (name and name.count("*") <= 1) for name in segments)
    )


def _wildmatch_regex(body: str) -> str:
    body = body.removeprefix("/")
    literal = _LITERAL.match(body)
    assert literal is not None
    segments = _segments(body, literal.end())
    if segments is None:
        return NEVER
    prefix = re.escape(literal[0])
    if all(segment == ANY_DEPTH for segment in segments):
        return f"{prefix}.*"
    # After the prefix comes the rest of a segment, which may be empty where a whole one is not.
    star = (Wildcard.STAR,)
    return prefix + path_regex(["[^/]*" if segment == star else segment for segment in segments])


def _segments(body: str, position: int) -> list[Segment] | None:
    """Parse from the first wildcard on. None when the rule can match nothing."""
    segments: list[Segment] = []
    tokens: list[Token] = []
    while position < len(body):
        character = body[position]
        token: Token = character
        end = position + 1
        if stars := _STARS.match(body, position):
            token, end = Wildcard.STAR, stars.end()
            if end - position > 1 and not tokens and body.startswith(("/", "\\/"), end):
                segments += _directories(segments, escaped=body[end] == "\\")
                position = end + 1 + (body[end] == "\\")
                continue
            if end - position > 1 and not tokens and end == len(body):
                return [*segments, ANY_DEPTH]
        elif character == "?":
            token = Wildcard.ONE
        elif character == "[":
            found = read_set(body, position, _SET_ITEM, set())
            if found is None or not CLASSES.keys() >= set(found[0].classes):
                return None
            token, end = found
        elif character == "\\":
            if end == len(body):
                return None
            token, end = body[end], end + 1
        if token == _SLASH:
            segments.append(tuple(tokens))
            tokens = []
        else:
            add_token(tokens, token)
        position = end
    return [*segments, tuple(tokens)]


def _directories(before: list[Segment], *, escaped: bool) -> list[Segment]:
    """`**/` is any number of directories; with the slash escaped it is at least one."""
    if escaped:
        return [(Wildcard.STAR,), ANY_DEPTH]
    return [] if before[-1:] == [ANY_DEPTH] else [ANY_DEPTH]
