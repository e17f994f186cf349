"""`df`: how much room there is."""

from __future__ import annotations

from typing import Final

from vshell.errors import VshellError
from vshell.shell.command import Command, Invocation, Option
from vshell.shell.commands.du import SIZES
from vshell.shell.messages import quote_if_needed, reason
from vshell.shell.nodes import (
    node_at,
)
from vshell.shell.sizes import Scale, scale_of
from vshell.shell.space import space

# df


def run_df(call: Invocation) -> int:
    parsed = call.parsed
    status = 0
    found = not call.operands
    for operand in call.operands:
        try:
            node_at(call, operand, follow=True)
            found = True
        except VshellError as error:
            call.complain(f"{quote_if_needed(operand)}: {reason(error)}")
            status = 1
    if not found:
        if not status:
            call.complain("no file systems processed")
        return 1
    scale = scale_of(
        parsed,
        call.environment,
        units={"k": 1024, "m": 1024**2},
        default=1024,
        variable="DF_BLOCK_SIZE",
    )
    total, free, entries = space(call)
    used = total - free
    percent = f"{-(-used * 100 // total)}%" if total else "-"
    if parsed.flag("inodes"):
        titles = ["Filesystem", "Inodes", "IUsed", "IFree", "IUse%", "Mounted on"]
        row = ["vshell", str(entries), str(entries), "0", "100%", "/"]
    else:
        heading = _heading(scale, portable=parsed.flag("portability"))
        titles = ["Filesystem", heading, "Used", "Available", "Use%", "Mounted on"]
        if not scale.block:
            titles[3] = "Avail"
        row = ["vshell", scale.show(total), scale.show(used), scale.show(free), percent, "/"]
    if parsed.flag("print-type"):
        titles.insert(1, "Type")
        row.insert(1, "vshell")
    rows = [titles, row]
    if parsed.flag("total"):
        rows.append(["total", *row[1:-1], "-"])
    call.write(_table(rows, texts=2 if parsed.flag("print-type") else 1))
    return status


def _heading(scale: Scale, *, portable: bool) -> str:
    if not scale.block:
        return "Size"
    if portable:
        return f"{scale.block}-blocks"
    return f"{Scale(0).show(scale.block).removesuffix('.0')}-blocks".replace(".0", "")


def _table(rows: list[list[str]], *, texts: int) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[0] = max(widths[0], 14)
    for place in range(texts, len(widths) - 1):
        widths[place] = max(widths[place], 4 if place == len(widths) - 2 else 5)
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if place < texts else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row[:-1], widths, strict=False))
        ]
        lines.append(" ".join([*cells, row[-1]]) + "\n")
    return "".join(lines)


COMMANDS: Final = (
    Command(
        "df",
        "[OPTION]... [FILE]...",
        "Show how much space the workspace has: its quota, or what it may have.",
        run_df,
        options=(
            Option(("-a", "--all"), "Include pseudo file systems; there are none."),
            Option(("-i", "--inodes"), "List inode information instead of block usage."),
            Option(("-l", "--local"), "Limit listing to local file systems."),
            Option(("-P", "--portability"), "Use the POSIX output format."),
            Option(("--total",), "Produce a grand total."),
            Option(("-T", "--print-type"), "Print file system type."),
            *SIZES,
        ),
    ),
)
