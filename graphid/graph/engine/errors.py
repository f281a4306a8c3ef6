"""What can go wrong before there is a database, said to the person at the terminal."""

from __future__ import annotations

from typing import ClassVar

from graphid.errors import GraphidError


class EngineError(GraphidError):
    """The local database engine cannot be used."""

    code: ClassVar[str] = "ENGINE"


class DownloadFailed(EngineError):
    """A file of the database engine could not be fetched."""


class FolderHeld(EngineError):
    """Another process holds the data folder."""


class WrongPassword(EngineError):
    """The database answers, and refuses the user or the password."""
