"""A journey as an agent reads it: oldest line first, by day and device, with the reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

Line = dict[str, Any]
"""A JourneyEvent, as the query of ``reading`` selects it."""

MADE_BY_IDENTIFY = "identify"
"""The source of a contact that no record stands behind."""

_STYLES = {
    "AUTHENTICATED": "bold green",
    "IDENTIFIED": "green",
    "RETROACTIVE": "cyan",
    "UNATTENDED": "yellow",
    "ANONYMOUS": "dim",
}


def show_story(console: Console, story: dict[str, Any]) -> None:
    """Print every person of the story with their journey."""
    for person in story.values():
        if person is not None:
            console.print(_person(person))


def _person(person: dict[str, Any]) -> RenderableType:
    identifiers = ", ".join(f"{i['value']} ({i['type']})" for i in person["identifiers"])
    records = ", ".join(
        f"{contact['source']} {contact['sourceId']}"
        for contact in person["contacts"]
        if contact["source"] != MADE_BY_IDENTIFY
    )
    head = Text.assemble(("Known as: ", "dim"), identifiers or "nothing")
    if records:
        head.append_text(Text.assemble("\n", ("Records:  ", "dim"), records))
    lines = [edge["node"] for edge in person["journey"]["edges"]][::-1]
    return Panel(
        Group(head, *_runs(lines)),
        title=Text(person["displayName"] or "Somebody", style="bold"),
        title_align="left",
        subtitle=Text(f"{len(lines)} lines · {person['id']}"),
        subtitle_align="right",
        padding=(0, 1),
    )


def _runs(lines: Iterable[Line]) -> Iterator[RenderableType]:
    """One block a day and device; in it, lines that are theirs for one reason stand together."""
    for (day, device), stay in groupby(_placed(lines), key=_day_and_device):
        yield Text(f"\n{day}, {device}" if device else f"\n{day}", style="bold")
        for basis, run in groupby((line for line, _ in stay), key=_basis):
            block = list(run)
            table = Table.grid(padding=(0, 2))
            table.add_column(no_wrap=True, style="dim")
            table.add_column(no_wrap=True)
            table.add_column(overflow="fold")
            for line in block:
                what, text = _what(line)
                # Text, because what people write may look like markup.
                table.add_row(_clock(line), Text(what), Text(text))
            yield table
            yield _reason(basis, block[0])


def _reason(basis: str, line: Line) -> RenderableType:
    """Why the first line of a run is theirs; the others' sentences differ in times only."""
    return Text.assemble(
        (f"why ({_clock(line)}): ", "dim"),
        (basis.lower(), _STYLES.get(basis, "")),
        (f". {line['attribution']['explanation']}", "dim italic"),
    )


def _placed(lines: Iterable[Line]) -> Iterator[tuple[Line, str]]:
    """Each line with its device; one that names none (a chat's) is where the last one was."""
    device = ""
    for line in lines:
        device = line["deviceId"] or device
        yield line, device.removeprefix("demo-").replace("-", " ")


def _day_and_device(placed: tuple[Line, str]) -> tuple[str, str]:
    line, device = placed
    return _time(line).strftime("%A %d %B"), device


def _basis(line: Line) -> str:
    return str(line["attribution"]["basis"])


def _clock(line: Line) -> str:
    return _time(line).strftime("%H:%M")


def _time(line: Line) -> datetime:
    return datetime.fromisoformat(line["occurredAt"])


def _what(line: Line) -> tuple[str, str]:
    """The kind of a line in a word, and what it tells."""
    detail = line["detail"]
    match line["type"]:
        case "PAGE":
            return "page", detail.get("title") or detail.get("url", "")
        case "TRACK":
            properties = detail.get("properties") or {}
            said = ", ".join(f"{name}: {value}" for name, value in properties.items())
            return "event", detail.get("name", "") + (f" ({said})" if said else "")
        case "IDENTIFY":
            claimed = [i["value"] for i in detail.get("identifiers", ())]
            return "log in", ", ".join(claimed)
        case "LOGOUT":
            return "log out", ""
        case "CHAT_START":
            return "chat", "opened"
        case "CHAT_MESSAGE":
            return detail.get("author", "").lower(), f"“{detail.get('text', '')}”"
        case "CHAT_END":
            return "chat", "closed"
        case kind:
            return str(kind).lower().replace("_", " "), ""
