"""GraphiQL, the page on which people try GraphQL: ``/graphiql``, where the settings ask for it.

All that the page needs is in ``graphid/static/graphiql``, and its policy has the browser refuse
whatever is from elsewhere: it works without a network, and sends to this service only. Anybody may
have the page; it can do what the key can that is entered there.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import PurePath

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PATH = "/graphiql"
PAGE = "index.html"

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}

HEADERS = {
    # Strict for styles, too: what a dialog of GraphiQL's would add is refused, and not missed.
    "Content-Security-Policy": "; ".join(
        (
            *("default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"),
            # The marks of the editor are pictures within its style sheet.
            *("img-src 'self' data:", "base-uri 'none'", "form-action 'none'"),
            "frame-ancestors 'none'",
        )
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Asked for again each time, and sent again only when graphid was updated.
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True)
class _File:
    content: bytes
    media_type: str
    etag: str


def graphiql_routes() -> list[Route]:
    """The page, and the files that it names. They are read once, here: no path is looked up."""
    page = _Page()
    return [Route(PATH, page.show), Route(f"{PATH}/{{name}}", page.give)]


class _Page:
    def __init__(self) -> None:
        self._files: dict[str, _File] = {}
        for entry in (files("graphid") / "static" / "graphiql").iterdir():
            content, kind = entry.read_bytes(), MEDIA_TYPES[PurePath(entry.name).suffix]
            etag = f'"{sha256(content).hexdigest()[:32]}"'
            self._files[entry.name] = _File(content, kind, etag)

    async def show(self, request: Request) -> Response:
        return self._answer(request, PAGE)

    async def give(self, request: Request) -> Response:
        return self._answer(request, request.path_params["name"])

    def _answer(self, request: Request, name: str) -> Response:
        file = self._files.get(name)
        if file is None:
            raise HTTPException(404)
        headers = {**HEADERS, "ETag": file.etag}
        if _has(request.headers.get("if-none-match", ""), file.etag):
            return Response(status_code=304, headers=headers)
        return Response(file.content, headers=headers, media_type=file.media_type)


def _has(condition: str, etag: str) -> bool:
    """Whether the client has the file already. A proxy that compresses makes the tag a weak one."""
    return any(tag.strip().removeprefix("W/") in {etag, "*"} for tag in condition.split(","))
