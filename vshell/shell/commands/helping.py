"""`help`: what the shell has, in the words of its manual."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

from vshell.shell import commands
from vshell.shell.command import Command, Invocation, Option
from vshell.shell.commands.manual import page

_LANGUAGE: Final = """
. FILENAME [ARGUMENT]...|Run the lines of a file in this shell.
: [ARGUMENT]...|Do nothing; the exit code is 0.
[ EXPRESSION ]|Evaluate a condition, as test does.
alias [NAME[=VALUE]]...|Define or print aliases.
bg [JOB]...|Let a job go on in the background.
bind [OPTION]...|Accepted: there are no keys here.
break [N]|Leave a loop.
builtin NAME [ARGUMENT]...|Run the shell's own command of that name.
caller [N]|Print where the function was called.
cd [DIRECTORY]|Change the working directory.
command [-vV] NAME [ARGUMENT]...|Run a command, passing over functions; or say what it is.
compgen [OPTION]... [WORD]|Print possible completions.
complete [OPTION]... [NAME]...|Say how arguments are completed.
compopt [OPTION]... [NAME]...|Change how arguments are completed.
continue [N]|Go on with the next round of a loop.
declare [-aAfFilnrtux] [NAME[=VALUE]]...|Set variables and their attributes, or print them.
dirs [-clpv] [+N] [-N]|Print the stack of directories.
disown [JOB]...|Take jobs from the list.
echo [-neE] [WORD]...|Print words.
enable [-n] [NAME]...|Turn commands of the shell on and off.
eval [WORD]...|Run words as a line.
exec [COMMAND [ARGUMENT]...] [REDIRECTION]...|Become a command, or redirect this shell.
exit [N]|Leave the shell.
export [-n] [NAME[=VALUE]]...|Pass variables on to commands.
false|Do nothing; the exit code is 1.
fc [OPTION]... [FIRST] [LAST]|Print lines of the history.
fg [JOB]|Wait for a job.
getopts OPTIONS NAME [ARGUMENT]...|Parse options.
hash [-r] [NAME]...|Remember where commands are.
jobs [-lnprs] [JOB]...|List the jobs.
kill [-SIGNAL] JOB...|Send a signal to a job.
let EXPRESSION...|Do arithmetic.
local NAME[=VALUE]...|Make a variable of a function.
mapfile [-d END] [-n COUNT] [-O FIRST] [-s SKIP] [-t] [ARRAY]|Read lines into an array.
popd [-n] [+N] [-N]|Go back to a directory of the stack.
printf [-v NAME] FORMAT [ARGUMENT]...|Print arguments by a format.
pushd [-n] [DIRECTORY] [+N] [-N]|Put a directory on the stack, and go there.
pwd [-LP]|Print the working directory.
read [-a ARRAY] [-d END] [-n COUNT] [-p PROMPT] [-r] [-t SECONDS] [NAME]...|Read a line.
readarray [OPTION]... [ARRAY]|The same as mapfile.
readonly [-af] [NAME[=VALUE]]...|Make variables that do not change.
return [N]|Leave a function.
set [-abefhkmnptuvxBCEHPT] [-o NAME] [ARGUMENT]...|Set options and positional parameters.
shift [N]|Drop positional parameters.
shopt [-pqsu] [NAME]...|Set options of the shell.
source FILENAME [ARGUMENT]...|Run the lines of a file in this shell.
test [EXPRESSION]|Evaluate a condition.
times|Print how long the shell and its commands took.
trap [-lp] [COMMAND SIGNAL...]|Run a command at a signal, or at the end.
true|Do nothing; the exit code is 0.
type [-afptP] NAME...|Say what a name is.
typeset [OPTION]... [NAME[=VALUE]]...|The same as declare.
ulimit [OPTION] [LIMIT]|Print limits; they are those of the shell's caller.
umask [-S] [MODE]|Print or set what new files are not allowed.
unalias [-a] [NAME]...|Remove aliases.
unset [-fvn] [NAME]...|Remove variables and functions.
wait [-fn] [JOB]...|Wait for jobs.
"""


def _languages() -> dict[str, tuple[str, str]]:
    """Return synopsis and summary of each of the language's own commands."""
    found = {}
    for line in _LANGUAGE.strip().splitlines():
        synopsis, _, summary = line.partition("|")
        found[synopsis.split(" ")[0]] = (synopsis, summary)
    return found


def run_help(call: Invocation) -> int:
    own = _languages()
    if not call.operands:
        call.write("The language's own commands; 'help NAME' says more:\n\n")
        call.write("".join(f"  {synopsis}\n" for synopsis, _ in own.values()))
        call.write("\nCommands; 'man NAME' says more:\n\n")
        call.write("".join(f"  {name:<12} {text}\n" for name, text in commands.summaries().items()))
        return 0
    status = 0
    for pattern in call.operands:
        names = [name for name in own if name == pattern or fnmatchcase(name, pattern)]
        command = commands.find(pattern)
        for name in names:
            synopsis, summary = own[name]
            brief = call.parsed.flag("s")
            call.write(f"{name}: {synopsis}\n" + ("" if brief else f"    {summary}\n"))
        if not names and command is not None:
            call.write(page(command))
        elif not names:
            call.stderr.write(
                f"bash: help: no help topics match `{pattern}'.  Try `help' or `man -k"
                f" {pattern}'.\n".encode("utf-8", "surrogateescape")
            )
            status = 1
    return status


COMMANDS: Final = (
    Command(
        "help",
        "[-s] [PATTERN]...",
        "Say what commands there are, and how they are used.",
        run_help,
        options=(
            Option(("-d",), "Accepted."),
            Option(("-m",), "Accepted."),
            Option(("-s",), "Print only how it is used."),
        ),
        usage_status=2,
    ),
)
