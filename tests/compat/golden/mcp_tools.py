"""Calls the tools of an MCP server in the current directory: `mcp_tools.py COMMAND ...`.

Reads [[tool, arguments], ...] from stdin and prints the tools' schemas and answers.
"""

from __future__ import annotations

import json
import os
import sys

import anyio
import mcp


async def main() -> None:
    calls = json.load(sys.stdin)
    command, *arguments = sys.argv[1:]
    server = mcp.StdioServerParameters(command=command, args=[*arguments, os.getcwd()])
    answers = []
    async with mcp.Client(mcp.stdio_client(server)) as client:
        tools = [
            {"name": tool.name, "parameters": tool.input_schema}
            for tool in (await client.list_tools()).tools
        ]
        for name, given in calls:
            result = await client.call_tool(name, given)
            text = "".join(block.text for block in result.content if block.type == "text")
            answers.append({"text": text, "is_error": result.is_error})
    print(json.dumps({"tools": tools, "answers": answers}))


if __name__ == "__main__":
    anyio.run(main)
