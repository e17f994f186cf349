"""What a script's text is changed to before the engine has it, where the engine is not as bash.

Each change looks for one thing, is made in code and not in quotes, and leaves the numbers of
the lines as they are. A script in which none of it occurs is passed on as it is.

Patterns are texts here, which `re` compiles when they are first needed, and keeps: to compile
them all would take longer than most scripts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from vshell.shell.background import whole_lists
from vshell.shell.braces import within_braces
from vshell.shell.group_inputs import heads_of_groups, numbered_inputs
from vshell.shell.native import WITHOUT
from vshell.shell.script_text import (
    COMMAND,
    code_of,
    end_of_group,
    with_file_tests,
    with_umask,
)

UMASK: Final = "__vshell_umask"
"""The name of a command that only we run: it says what new files are not allowed."""

KNOWN: Final = "__vshell_known"
"""The name of one that tells whether a command is there at all."""

HISTORY: Final = "__vshell_history"
"""Our `history`: the engine does not let its own, of what was run in it, be replaced."""

FUNCTIONS: Final = "__vshell_functions"
"""The variable that has the text of the functions that children are to know."""

Change = Callable[[re.Match[str]], str]


def rewritten(script: str) -> str:
    """Return a script that the engine runs as bash would."""
    for word, change in _CHANGES:
        if word in script:
            script = change(script)
    return with_umask(with_file_tests(script), UMASK)


def _in_code(script: str, pattern: str, change: Change) -> str:
    """Replace what is found where it is code."""
    if re.search(pattern, script) is None:
        return script
    mask = code_of(script).mask

    def changed(found: re.Match[str]) -> str:
        begin = found.end() - len(found[0].lstrip())
        return change(found) if mask[min(begin, len(mask) - 1)] else found[0]

    return re.sub(pattern, changed, script)


# `[[ -o NAME ]]`, which the engine takes for a text that is not empty.

_CONDITION: Final = (
    r"(?<=\[\[)((?:(?!\]\])[^\n;])*?(?:\s|!\s|&&\s|\|\|\s|\(\s?))-o\s+([a-z]+)(?=[^\n;]*\]\])"
)


_REFERENCE: Final = r"(?<=\[\[ )((?:!\s+)?)-R\s+(\w+)(?=\s*\]\])"


def _options_in_conditions(script: str) -> str:
    script = _in_code(
        script,
        _REFERENCE,
        lambda found: (
            f'{found[1]}$(declare -p {found[2]} 2> /dev/null) == "declare -"*n*" {found[2]}"*'
        ),
    )
    while True:
        changed = _in_code(
            script, _CONDITION, lambda found: f"{found[1]}:$SHELLOPTS: == *:{found[2]}:*"
        )
        if changed == script:
            return script
        script = changed


# `local -`, after which the options are what they were when the function returns.

_LOCAL_OPTIONS: Final = r"\blocal[ \t]+-(?=[ \t]*(?:[;\n&|}]|$))"
_KEEPING: Final = (
    'local __vshell_options="$(set +o)"; trap \'trap - RETURN; eval "$__vshell_options"\' RETURN'
)


def _local_options(script: str) -> str:
    return _in_code(script, _LOCAL_OPTIONS, lambda _: _KEEPING)


# `exit` in a trap of ERR, which the engine goes on after. So it is a function there, by which
# `set -e` ends the script when the trap is done, and a trap of EXIT says with which code.

_ERR_TRAP: Final = (
    r"\btrap[ \t]+(?:--[ \t]+)?('[^']*'|\"(?:[^\"\\]|\\.)*\"|[A-Za-z_]\w*)"
    r"((?:[ \t]+[A-Z0-9]+)*[ \t]+ERR\b)"
)
_EXITING: Final = (
    "__vshell_status=$? __vshell_set=$-; set +e; exit() { __vshell_status=${1-$?}; trap - ERR;"
    " local last; last=$(trap -p EXIT);"
    ' last=${last#trap -- }; eval "last=${last% EXIT}";'
    ' trap "set +e; trap - ERR; __vshell_return; ${last:+$last; }exit $__vshell_status" EXIT;'
    " __vshell_set=e; }; __vshell_return() { return $__vshell_status; }; __vshell_return; "
)
_EXITED: Final = "; unset -f exit; [[ $__vshell_set == *e* ]] && set -e"


_EXIT: Final = r"\bexit\b"


def _may_exit(body: str, script: str) -> bool:
    """Tell whether a trap ends the script, by itself or by a function of the script."""
    if re.search(_EXIT, body):
        return True
    for name in set(re.findall(r"[A-Za-z_]\w*", body)):
        found = re.search(rf"\b{name}[ \t]*(?:\(\))?\s*\{{", script)
        if found is not None:
            after = end_of_group(code_of(script), found.end() - 1)
            if re.search(_EXIT, script[found.end() : after]):
                return True
    return False


def _exits_in_traps(script: str) -> str:
    def changed(found: re.Match[str]) -> str:
        body = found[1]
        if not _may_exit(body, script):
            return found[0]
        before, after = _EXITING, _EXITED
        if body[0] == '"':
            before, after = (re.sub(r'(["\\$`])', r"\\\1", each) for each in (before, after))
            return f'trap "{before}{body[1:-1]}{after}"{found[2]}'
        quotes = before.replace("'", "'\\''")
        return f"trap '{quotes}{body.strip(chr(39))}{after}'{found[2]}"

    return _in_code(script, _ERR_TRAP, changed)


# `export -f`: the engine's children know no functions, so they are told their text.

_EXPORT: Final = (
    rf"({COMMAND})((?:export[ \t]+-f|(?:declare|typeset)[ \t]+-(?:fx|xf))((?:[ \t]+\w+)+))"
)
_CHILD: Final = r"(?<![\w./-])((?:/(?:usr/)?bin/)?(?:ba)?sh[ \t]+-[a-z]*c[ \t]+)(?=\S)"


def _exported_functions(script: str) -> str:
    return _in_code(
        script,
        _EXPORT,
        lambda found: (
            f'{found[1]}{{ {found[2]} && {FUNCTIONS}+="$(declare -f{found[3]})"'
            f"$'\\n' && export {FUNCTIONS}; }}"
        ),
    )


def with_functions(script: str) -> str:
    """Return a script whose children get the functions that are exported."""
    return _in_code(script, _CHILD, lambda found: f'{found[1]}"${{{FUNCTIONS}-}}"')


# `b=("${a[@]%.txt}")`, of which the engine makes one element; `for` it gives all of them.

_ARRAY: Final = (
    rf"({COMMAND})((?:(?:local|declare|typeset|readonly)(?:[ \t]+-\w+)*[ \t]+)?\w+\+?=)\("
)
_CHANGED_ELEMENTS: Final = r'"[^"]*\$\{(?:\w+\[@\]|@)[#%/^,~@]'


def _changed_arrays(script: str) -> str:
    pieces, end = [], 0
    code = code_of(script)
    for found in re.finditer(_ARRAY, script):
        after = end_of_group(code, found.end() - 1)
        words = script[found.end() : after - 1]
        rest = re.match(r"[ \t]*(?:[;\n&|)}]|$)", script[after:])
        if not (after and rest and re.search(_CHANGED_ELEMENTS, words)) or found.start() < end:
            continue
        lines = words.split("\n")
        if any(re.search(r"(?:^|\s)(?:#|\[)", line) for line in lines):
            continue
        pieces += [
            script[end : found.end(1)],
            f"{{ __vshell_words=(); for __vshell_word in {' '.join(lines)}; do",
            "\n" * (len(lines) - 1),
            f' __vshell_words+=("$__vshell_word"); done; {found[2]}("${{__vshell_words[@]}}"); }}',
        ]
        end = after
    return "".join([*pieces, script[end:]])


# `(umask 077; ...)`: the files are told what holds again at the end of the subshell.

_INNER_UMASK: Final = rf"(?:{COMMAND}|(?<=\(\))[ \t]*)\((?=[^()]*\bumask[ \t]+[^-\s])"


def _umask_in_subshells(script: str) -> str:
    return _in_code(script, _INNER_UMASK, lambda found: f'{found[0]}trap "{UMASK} $(umask)" EXIT; ')


# `pwd -P` and `cd -P`: the engine sees no links in the files that it is given.

_PHYSICAL: Final = rf"({COMMAND}|\$\([ \t]*)pwd[ \t]+-P(?=[ \t]*(?:[;\n&|)>]|$))"
_INNER_PHYSICAL: Final = r"((?:\$\(|&&|;)[ \t]*)pwd[ \t]+-P(?=[ \t]*\))"
_GO_PHYSICAL: Final = (
    rf"({COMMAND})cd[ \t]+-P[ \t]+((?:\"[^\"]*\"|[\w./${{}}~-])+)(?=[ \t]*(?:[;\n&|)>]|$))"
)


def _physical_paths(script: str) -> str:
    there = 'realpath -- "$PWD"'
    script = _in_code(script, _PHYSICAL, lambda found: f"{found[1]}{there}")
    # In double quotes, too, this can be nothing but a command.
    script = re.sub(_INNER_PHYSICAL, lambda found: f"{found[1]}{there}", script)
    return _in_code(
        script, _GO_PHYSICAL, lambda found: f'{found[1]}cd -- "$(realpath -- {found[2]})"'
    )


# NUL in what `printf` is given, which the engine's leaves out but for `\\0`.

_NUL: Final = r"\bprintf[ \t]+(?:'[^']*'|\"[^\"$`]*\")"


def _nul_in_formats(script: str) -> str:
    return _in_code(
        script, _NUL, lambda found: re.sub(r"\\x00|\\x0(?![0-9A-Fa-f])", r"\\000", found[0])
    )


# `for i in {1..200000}`: more words than the engine makes of a range.

_RANGE: Final = (
    rf"({COMMAND})for[ \t]+(\w+)[ \t]+in[ \t]+"
    r"\{([1-9]?\d{0,12})\.\.(\d{5,12})\}([ \t]*[;\n]\s*do\b)"
)
_RANGE_WORDS: Final = 50_000


def _long_ranges(script: str) -> str:
    def changed(found: re.Match[str]) -> str:
        before, name, first, last, do = found.groups()
        if not first or int(last) - int(first) < _RANGE_WORDS or last[0] == "0":
            return found[0]
        counted = f"__vshell_{name}"
        head = f"for (({counted} = {first}; {counted} <= {last}; {counted}++))"
        return f"{before}{head}{do} {name}=${counted};"

    return _in_code(script, _RANGE, changed)


# A here-document that begins with `~`, which the engine takes for a home directory.

_TILDE: Final = r"(<<-?[ \t]*\w+[^\n]*\n\t*)~"


def _tildes_in_documents(script: str) -> str:
    return _in_code(script, _TILDE, lambda found: f"{found[1]}${{__vshell_-}}~")


# Numbers with a leading zero in variables, which the engine takes for decimal.

_OCTAL: Final = r"(?<![\w$])([A-Za-z_]\w*)=[\"']?[+-]?0\d"
_ARITHMETIC: Final = r"\(\((?:[^()]|\([^()]*\))*\)\)"


def _octal_variables(script: str) -> str:
    names = "|".join(sorted({found[1] for found in re.finditer(_OCTAL, script)}))
    if not names:
        return script
    used = re.compile(
        rf"(?<![\w$#{{\]])(?<!\+\+)(?<!--)({names})(?![\w\[]|\+\+|--|\s*(?:[-+*/%&|^]|<<|>>)?=(?!=))"
    )

    def changed(found: re.Match[str]) -> str:
        return used.sub(r"($\1)", found[0])

    return _in_code(script, _ARITHMETIC, changed)


# `command -v`, `type` and `hash` of what the engine has and we do not offer.

_ASKING: Final = (
    rf"({COMMAND}|\$\()((?:command[ \t]+-[vV]|type(?:[ \t]+-[a-zA-Z]+)?|hash)[ \t]+"
    r"(\"\$\{?\w+\}?\"|\$\{?\w+\}?|[\w.-]+))(?=[ \t]*(?:[;\n&|>)2]|$))"
)


def _asking_first(script: str) -> str:
    if not ("command -" in script or "type " in script or "hash " in script):
        return script

    def changed(found: re.Match[str]) -> str:
        before, command, name = found.groups()
        if "$" not in name and name not in WITHOUT:
            return found[0]
        return f"{before}{{ {KNOWN} {name} && {command}; }}"

    return _in_code(script, _ASKING, changed)


def _background_lists(script: str) -> str:
    return whole_lists(script) if re.search(r"[^&<>]&(?![&>])", script) else script


def joined_lines(script: str) -> str:
    """Return a script without the line ends that a backslash takes away.

    The engine knows them between words only. Lines get other numbers, so this is for scripts
    that it refuses as they are.
    """
    code = code_of(script)

    def pieces() -> Iterator[str]:
        end = 0
        for found in re.finditer(r"\\\n", script):
            before = found.start()
            # The backslash is no code by itself; what is before it tells.
            if before == 0 or code.mask[before - 1] or script[before - 2 : before] == "\\\n":
                yield script[end:before]
                end = found.end()
        yield script[end:]

    return "".join(pieces())


# `history`, whose lines are the session's and in the workspace.

_LINES: Final = rf"({COMMAND})history(?=[ \t\n;&|)<>]|$)"


def _lines_of_the_session(script: str) -> str:
    return _in_code(script, _LINES, lambda found: f"{found[1]}{HISTORY}")


# "`command`" in a word of which another part is not quoted, in which the engine leaves it.

_ESCAPED: Final = re.compile(r"\\([$`\\\"])")
_BACKQUOTED: Final = re.compile(r"\\.|`((?:[^`\\]|\\.)*)`", re.DOTALL)


def _backquotes_in_quotes(script: str) -> str:
    """Write "`command`" as "$(command)", in which the engine always runs it."""
    parts: list[str] = []
    done = 0
    for start, end in code_of(script).quotes:
        quoted = script[start:end]
        if quoted[0] == '"' and "`" in quoted and "$(" not in quoted:
            parts += script[done:start], _BACKQUOTED.sub(_with_parentheses, quoted)
            done = end
    return "".join(parts) + script[done:]


def _with_parentheses(found: re.Match[str]) -> str:
    command = found[1]
    if command is None or command.count("(") != command.count(")"):
        return found[0]
    return f"$( {_ESCAPED.sub(lambda each: each[1], command)} )"


_CHANGES: Final[tuple[tuple[str, Callable[[str], str]], ...]] = (
    ("`", _backquotes_in_quotes),
    ("[[", _options_in_conditions),
    ("local", _local_options),
    (" ERR", _exits_in_traps),
    ("head", heads_of_groups),
    ("=", _octal_variables),
    ("@", _changed_arrays),
    ("umask", _umask_in_subshells),
    (" -P", _physical_paths),
    ("..", _long_ranges),
    ("{", within_braces),
    ("&", _background_lists),
    ("<", numbered_inputs),
    ("printf", _nul_in_formats),
    ("history", _lines_of_the_session),
    ("~", _tildes_in_documents),
    (" -", _exported_functions),
    (" ", _asking_first),
)
