"""``graphid keys create|list|rotate|revoke``: the keys that the graph keeps."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from graphid import settings as settings_module
from graphid.auth.key_text import KeyKind
from graphid.auth.keys import Caller
from graphid.auth.scopes import SERVER
from graphid.errors import InvalidInput
from graphid.graph.engine import TerminalProgress

if TYPE_CHECKING:
    from graphid.graph.access_keys import AccessKey
    from graphid.service.keymaking import IssuedKey, Keymaker

app = typer.Typer(
    help="Keys that clients show: make, list, rotate and revoke them. May run beside the service.",
    no_args_is_help=True,
)

OPERATOR = Caller(name="graphid keys", scopes=SERVER, is_browser=False)
"""Whoever can run commands on the database holds every scope anyway."""

AT_ONCE = 200
"""Keys of one page."""

WIDE = 200
"""Columns of a table that goes to a file or another program."""

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

Id = Annotated[str, typer.Argument(help="As `graphid keys list` shows it.")]
PublicKey = Annotated[
    Path | None, typer.Option(help="A PEM file: identities signed with its key are verified.")
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is called, for people.")],
    *,
    publishable: Annotated[
        bool, typer.Option("--publishable", help="For the pages of a site; else for servers.")
    ] = False,
    scope: Annotated[
        list[str] | None,
        typer.Option(help="As event:write; again for each. Else a publishable key has its two."),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Of pages that may send, as https://shop.example; again for each."),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="How long it lives; else for ever.")] = (
        None
    ),
    sign: Annotated[
        bool, typer.Option("--sign", help="Make a secret to sign identities with, by HS256.")
    ] = False,
    public_key: PublicKey = None,
    requests_per_second: Annotated[int | None, typer.Option(min=1)] = None,
    events_per_second: Annotated[int | None, typer.Option(min=1)] = None,
    concurrent_requests: Annotated[int | None, typer.Option(min=1)] = None,
    cost_per_minute: Annotated[int | None, typer.Option(min=1)] = None,
) -> None:
    """Make a key. Its text is printed, alone on standard output, and cannot be seen again."""
    from graphid.service.keymaking import CreateKey, SigningMethod  # noqa: PLC0415 - slow

    limits = {
        "requestsPerSecond": requests_per_second,
        "eventsPerSecond": events_per_second,
        "concurrentRequests": concurrent_requests,
        "costPerMinute": cost_per_minute,
    }
    method = SigningMethod.PUBLIC_KEY if public_key else SigningMethod.HS256 if sign else None
    wanted = _wanted(
        CreateKey,
        name=name,
        kind=KeyKind.PUBLISHABLE if publishable else KeyKind.SECRET,
        scopes=scope or None,
        origins=origin or None,
        limits=limits if any(limits.values()) else None,
        expiresAt=None if days is None else datetime.now(UTC) + timedelta(days=days),
        signing=method,
        signingPublicKey=_read(public_key),
    )
    _tell(_on_keys("createKey", lambda keys: keys.create(wanted, OPERATOR)))


@app.command("list")
def list_() -> None:
    """Show all keys, the latest first: what they may do, and when they were last used."""
    keys = _on_keys("keys", _all_keys)
    if not keys:
        typer.echo("There are no keys.")
        return
    table = Table("id", "kind", "name", "scopes", "origins", "made", "last used", "state")
    now = datetime.now(UTC)
    for key in keys:
        cells = (
            key.id,
            key.kind.lower(),
            key.name,
            ", ".join(key.scopes),
            "any" if key.origins is None else ", ".join(key.origins),
            _day(key.created_at),
            "never" if key.last_used_at is None else _minute(key.last_used_at),
            _state(key, now),
        )
        table.add_row(*map(Text, cells))  # Text, because a name may look like markup
    console = Console()
    if not console.is_terminal:
        console.width = WIDE
    console.print(table)


@app.command()
def rotate(
    id: Id,
    overlap: Annotated[
        float, typer.Option(min=0, help="Hours for which the former secrets are taken; 0: none.")
    ] = 24.0,
    public_key: PublicKey = None,
) -> None:
    """Give a key another secret, printed alone on standard output. The former ones overlap."""
    from graphid.service.keymaking import RotateKey  # noqa: PLC0415 - slow

    wanted = _wanted(RotateKey, overlap=round(overlap * 3600), signingPublicKey=_read(public_key))
    _tell(_on_keys("rotateKey", lambda keys: keys.rotate(id, wanted, OPERATOR)))


@app.command()
def revoke(
    id: Id,
    reason: Annotated[str | None, typer.Option(help="Why, for those who ask later.")] = None,
) -> None:
    """End a key, in every process within 5 seconds."""
    from graphid.service.keymaking import RevokeKey  # noqa: PLC0415 - slow

    wanted = _wanted(RevokeKey, reason=reason)
    key = _on_keys("revokeKey", lambda keys: keys.revoke(id, wanted, OPERATOR))
    typer.echo(f"{key.name} ({key.id}) was revoked at {_minute(key.revoked_at or 0)}.")


async def _all_keys(keys: Keymaker) -> Sequence[AccessKey]:
    from graphid.service.pages import PageRequest  # noqa: PLC0415 - slow

    found: list[AccessKey] = []
    while True:
        page = await keys.newest(PageRequest(AT_ONCE, after=found[-1].position if found else None))
        found += page.items
        if not page.has_next:
            return found


def _on_keys(action: str, act: Callable[[Keymaker], Awaitable[T]]) -> T:
    from graphid.wiring_of_commands import run_keymaker  # noqa: PLC0415 - as in main

    with TerminalProgress(Console(stderr=True)) as progress:
        return run_keymaker(settings_module.load(), progress=progress, action=action, act=act)


def _wanted(model: type[M], /, **given: Any) -> M:
    """What is asked for. Raises InvalidInput, naming what is wrong with it."""
    from graphid.api.problems import first_fault  # noqa: PLC0415 - slow

    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise first_fault(error) from None


def _read(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise InvalidInput(f"{file} cannot be read: {reason}") from None


def _tell(issued: IssuedKey) -> None:
    key, about = issued.key, Console(stderr=True)
    may = ", ".join(key.scopes)
    about.print(f"{key.name}: may {may}. Keep this, it is shown only now:", markup=False)
    typer.echo(issued.text)
    if issued.signing_secret is not None:
        about.print("Identities are signed with (HS256):")
        typer.echo(issued.signing_secret)


def _state(key: AccessKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return f"revoked {_day(key.revoked_at)}"
    if key.expires_at is None:
        return "good"
    is_over = datetime.fromtimestamp(key.expires_at / 1e6, UTC) <= now
    return f"{'expired' if is_over else 'good until'} {_day(key.expires_at)}"


def _minute(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1e6, UTC):%Y-%m-%d %H:%M} UTC"


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1e6, UTC):%Y-%m-%d}"
