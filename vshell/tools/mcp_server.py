"""An MCP server: the tools of a profile, and the files as resources.

It is made on the official SDK (`mcp` 2.x), and speaks stdio or streamable HTTP. A file's
URI is `file://` and its path in the workspace. Who subscribes to one, or to the list, is
told of changes, whichever process makes them.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final
from urllib.parse import quote, unquote

import anyio
import anyio.to_thread
from mcp import types
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    ResourcesListChanged,
    ResourceUpdated,
)
from mcp.shared.exceptions import MCPError

from vshell._version import __version__
from vshell.errors import NotFoundError, VshellError
from vshell.fs.schema import FILE
from vshell.fs.watch import Cursor
from vshell.ops.context import Context
from vshell.ops.detect import detect
from vshell.tools.profile import Profile
from vshell.tools.result import Attachment, ToolResult

_PAGE: Final = 500
_POLL_S: Final = 0.1
_PROGRESS_S: Final = 1.0
_MAX_RESOURCE_BYTES: Final = 16 * 1024 * 1024
_MAX_SUBSCRIPTIONS: Final = 10_000
_NOT_FOUND: Final = -32002
_SCHEME: Final = "file://"

_INSTRUCTIONS: Final = (
    "These tools work on the files of one workspace, whose paths begin at /. Nothing outside of it"
    " can be reached. Every change is kept in a journal and can be undone."
)


@dataclass
class _Feed:
    """Who is told of changes, for one run of the server."""

    subscribed: dict[str, set[ServerSession]] = field(default_factory=dict)


Request = ServerRequestContext[_Feed]


def make_server(profile: Profile, *, name: str = "vshell") -> Server[_Feed]:
    """Return the server for the tools of a profile and the files that they work on.

    Args:
        profile: The tools.
        name: What the server calls itself.
    """
    return _Service(profile).server(name)


class _Service:
    """What the server's handlers have in common."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._context: Context = profile.context
        self._bus = InMemorySubscriptionBus()

    def server(self, name: str) -> Server[_Feed]:
        return Server(
            name,
            version=__version__,
            title="vshell workspace",
            instructions=_INSTRUCTIONS,
            lifespan=self._lifespan,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
            on_subscribe_resource=self._subscribe,
            on_unsubscribe_resource=self._unsubscribe,
            on_subscriptions_listen=ListenHandler(self._bus),
            on_list_prompts=self._list_prompts,
        )

    # Tools.

    async def _list_tools(
        self, _: Request, __: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        tools = [types.Tool.model_validate(schema) for schema in self._profile.schemas("mcp")]
        return types.ListToolsResult(tools=tools)

    async def _call_tool(
        self, request: Request, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        def run() -> ToolResult:
            return self._profile.run(params.name, params.arguments or {})

        if params.name not in self._profile:
            raise MCPError(types.INVALID_PARAMS, self._profile.run(params.name).text)
        try:
            result = await _with_progress(request, params.name, run)
        except anyio.get_cancelled_exc_class():
            self._profile.interrupt(params.name)
            raise
        return types.CallToolResult(
            content=_content(result),
            structured_content=_structured(result),
            is_error=result.is_error,
        )

    async def _list_prompts(
        self, _: Request, __: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        return types.ListPromptsResult(prompts=[])

    # Resources.

    async def _list_resources(
        self, _: Request, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        after = params.cursor if params is not None and params.cursor else ""
        page, more = await anyio.to_thread.run_sync(self._page, after)
        return types.ListResourcesResult(resources=page, next_cursor=more)

    def _page(self, after: str) -> tuple[list[types.Resource], str | None]:
        rows = sorted(
            (row.path for row in self._context.files.walk("/") if row.kind == FILE),
        )
        found = [path for path in rows if path > unquote(after)]
        page = [self._resource(path) for path in found[:_PAGE]]
        more = quote(found[_PAGE - 1], errors="surrogateescape") if len(found) > _PAGE else None
        return page, more

    def _resource(self, path: str) -> types.Resource:
        stat = self._context.files.stat(path, follow=False)
        return types.Resource(uri=uri_of(path), name=_sendable(path.lstrip("/")), size=stat.size)

    async def _list_templates(
        self, _: Request, __: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        template = types.ResourceTemplate(
            uri_template="file:///{+path}",
            name="file",
            description="A file of the workspace.",
        )
        return types.ListResourceTemplatesResult(resource_templates=[template])

    async def _read_resource(
        self, _: Request, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        uri = str(params.uri)
        try:
            data, media_type, is_text = await anyio.to_thread.run_sync(self._read, uri)
        except VshellError as error:
            raise MCPError(_NOT_FOUND, str(error), data={"uri": uri}) from None
        contents: types.TextResourceContents | types.BlobResourceContents
        if is_text:
            contents = types.TextResourceContents(
                uri=uri, mime_type=media_type, text=data.decode("utf-8")
            )
        else:
            blob = base64.b64encode(data).decode()
            contents = types.BlobResourceContents(uri=uri, mime_type=media_type, blob=blob)
        return types.ReadResourceResult(contents=[contents])

    def _read(self, uri: str) -> tuple[bytes, str, bool]:
        path = self._context.resolve(path_of(uri))
        if self._context.files.stat(path).size > _MAX_RESOURCE_BYTES:
            raise MCPError(
                types.INVALID_PARAMS,
                f"the file has more than {_MAX_RESOURCE_BYTES} bytes: read it with a tool",
                data={"uri": uri},
            )
        data, stat = self._context.files.read_with_stat(path)
        self._context.note_read(path, stat.hash)
        found = detect(self._context, path)
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            return data, found.mime, False
        return data, found.mime, not found.binary

    # Subscriptions.

    async def _subscribe(
        self, request: Request, params: types.SubscribeRequestParams
    ) -> types.EmptyResult:
        subscribed = request.lifespan_context.subscribed
        uri = uri_of(_normal(self._context, str(params.uri)))
        if uri not in subscribed and len(subscribed) >= _MAX_SUBSCRIPTIONS:
            raise MCPError(types.INVALID_PARAMS, "there are too many subscriptions")
        subscribed.setdefault(uri, set()).add(request.session)
        return types.EmptyResult()

    async def _unsubscribe(
        self, request: Request, params: types.UnsubscribeRequestParams
    ) -> types.EmptyResult:
        uri = uri_of(_normal(self._context, str(params.uri)))
        request.lifespan_context.subscribed.pop(uri, None)
        return types.EmptyResult()

    @asynccontextmanager
    async def _lifespan(self, _: Server[_Feed]) -> AsyncIterator[_Feed]:
        feed = _Feed()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._tell, feed)
            yield feed
            tasks.cancel_scope.cancel()

    async def _tell(self, feed: _Feed) -> None:
        """Tell of changes, as they are committed."""
        cursor = Cursor(self._context.files, None, since=None)
        while True:
            await anyio.sleep(_POLL_S)
            try:
                changes = await anyio.to_thread.run_sync(cursor.next)
            except NotFoundError:  # history went before it was told
                cursor = Cursor(self._context.files, None, since=None)
                await self._bus.publish(ResourcesListChanged())
                continue
            if not changes:
                continue
            touched = {
                path for change in changes for path in (change.path, change.old_path) if path
            }
            for path in touched:
                await self._updated(feed, uri_of(path))
            if any(change.action != "write" for change in changes):
                await self._bus.publish(ResourcesListChanged())

    async def _updated(self, feed: _Feed, uri: str) -> None:
        await self._bus.publish(ResourceUpdated(uri=uri))
        for session in list(feed.subscribed.get(uri, ())):
            try:
                await session.send_resource_updated(uri)
            except (anyio.ClosedResourceError, anyio.BrokenResourceError, MCPError):
                feed.subscribed[uri].discard(session)  # the client has gone


async def _with_progress(request: Request, name: str, run: Callable[[], ToolResult]) -> ToolResult:
    """Run a tool in a thread; tell who asked for it how long it has been running."""
    began = monotonic()

    async def tell() -> None:
        while True:
            await anyio.sleep(_PROGRESS_S)
            seconds = monotonic() - began
            await request.session.report_progress(
                seconds, None, f"{name} has been running for {seconds:.0f} s"
            )

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tell)
        result = await anyio.to_thread.run_sync(run, abandon_on_cancel=True)
        tasks.cancel_scope.cancel()
    return result


def uri_of(path: str) -> str:
    """Return the URI of a file."""
    return _SCHEME + quote(path, errors="surrogateescape")


def path_of(uri: str) -> str:
    """Return the path that a URI means.

    Raises:
        MCPError: It is no URI of a file here.
    """
    if not uri.startswith(f"{_SCHEME}/"):
        raise MCPError(types.INVALID_PARAMS, f"a URI here begins with file:///, unlike {uri[:200]}")
    return unquote(uri[len(_SCHEME) :], errors="surrogateescape")


def _normal(context: Context, uri: str) -> str:
    try:
        return context.resolve(path_of(uri))
    except VshellError as error:
        raise MCPError(types.INVALID_PARAMS, str(error), data={"uri": uri}) from None


def _content(result: ToolResult) -> list[types.ContentBlock]:
    blocks: list[types.ContentBlock] = []
    if result.text or not result.attachments:
        blocks.append(types.TextContent(text=_sendable(result.text)))
    return blocks + [_attached(each) for each in result.attachments]


def _attached(shown: Attachment) -> types.ContentBlock:
    data = base64.b64encode(shown.data).decode()
    kind = shown.media_type.partition("/")[0]
    if kind == "image":
        return types.ImageContent(data=data, mime_type=shown.media_type)
    if kind == "audio":
        return types.AudioContent(data=data, mime_type=shown.media_type)
    blob = types.BlobResourceContents(uri=uri_of(shown.path), mime_type=shown.media_type, blob=data)
    return types.EmbeddedResource(resource=blob)


def _structured(result: ToolResult) -> dict[str, Any] | None:
    found = result.structured
    if found is None and isinstance(result.value, dict):
        found = result.value
    made: Any = None if found is None else _all_sendable(found)
    return made if isinstance(made, dict) else None


def _all_sendable(value: Any) -> Any:
    if isinstance(value, str):
        return _sendable(value)
    if isinstance(value, dict):
        return {_sendable(name): _all_sendable(item) for name, item in value.items()}
    return [_all_sendable(item) for item in value] if isinstance(value, list) else value


def _sendable(text: str) -> str:
    """Return text that JSON can hold: bytes that are no UTF-8 become U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


async def serve_stdio(server: Server[Any]) -> None:
    """Serve one client on stdin and stdout, until it closes them."""
    from mcp.server.stdio import stdio_server

    async with stdio_server() as (reading, writing):
        await server.run(reading, writing, server.create_initialization_options())
