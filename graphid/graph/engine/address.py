"""Where a database answers, and as whom."""

from __future__ import annotations

from dataclasses import dataclass, field

from neo4j import GraphDatabase
from neo4j.exceptions import AuthError, DriverError, Neo4jError

from graphid.graph.engine.errors import EngineError, WrongPassword


@dataclass(frozen=True)
class Address:
    """Everything a driver needs to reach one database."""

    uri: str
    user: str
    password: str = field(repr=False)
    database: str
    origin: str
    """Where this database comes from, for people: "local engine 2026.08.1 in .graphid/engine"."""


def require_answer(address: Address, *, timeout: float) -> None:
    """Prove that the database takes a transaction, with this user and password.

    Opens a transaction and takes it back, so that no statement is needed. ``timeout`` is in
    seconds, for each of connecting and acquiring. Raises EngineError with the reason, and
    WrongPassword where waiting cannot help.
    """
    try:
        with (
            GraphDatabase.driver(
                address.uri,
                auth=(address.user, address.password),
                connection_timeout=timeout,
                connection_acquisition_timeout=timeout,
                telemetry_disabled=True,
            ) as driver,
            driver.session(database=address.database) as session,
            session.begin_transaction(timeout=timeout) as transaction,
        ):
            transaction.rollback()
    except AuthError as error:
        raise WrongPassword(
            f"The database at {address.uri} refuses user {address.user}: {error}"
        ) from error
    except (DriverError, Neo4jError, OSError, ValueError) as error:
        raise EngineError(f"The database at {address.uri} does not answer: {error}") from error
