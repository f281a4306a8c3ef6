"""The composition root: settings in, a running service out. Nothing else makes these objects."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from graphid import log
from graphid.api.context import Services
from graphid.auth.exchange import CodeExchange
from graphid.auth.key_sets import KeySets
from graphid.auth.keys import Keys
from graphid.auth.limits import Limits
from graphid.auth.outbound import Outbound
from graphid.auth.providers import Provider, Providers
from graphid.auth.staff import StaffRules, StaffTokens
from graphid.auth.tokens import IdTokens
from graphid.errors import Refused
from graphid.graph.access_keys import AccessKeys
from graphid.graph.engine import Address, Progress
from graphid.graph.log import Log
from graphid.graph.oidc_providers import OidcProviders
from graphid.graph.policies import Policies
from graphid.graph.schema import migrate
from graphid.http.addresses import Addresses
from graphid.http.app import create_app
from graphid.http.callers import Callers
from graphid.http.gate import Gate
from graphid.http.graphiql import graphiql_routes
from graphid.http.graphql import graphql_route
from graphid.http.listeners import Listeners
from graphid.http.metrics import Metrics, metrics_route
from graphid.http.sdk_settings import SdkSettings
from graphid.http.segment import Segment
from graphid.http.server import address_of, listen, run, serve
from graphid.http.sockets import Sockets
from graphid.http.usage import Usage, open_storage
from graphid.http.witnesses import Witnesses
from graphid.identity.ids import Ids
from graphid.service.audit.audit import Audit
from graphid.service.erasures import Erasures
from graphid.service.feed import Feed
from graphid.service.ingest import Ingest
from graphid.service.keymaking import Keymaker
from graphid.service.keys import Keyring
from graphid.service.news import News
from graphid.service.operations.operating import Operations
from graphid.service.parked import Parked
from graphid.service.past.as_of import AsOf
from graphid.service.planning import Planning
from graphid.service.provider_setup import ProviderSetup
from graphid.service.providers import KnownProviders
from graphid.service.reads import Reads, now
from graphid.service.retention import Retention
from graphid.service.sequencer import Sequencer
from graphid.service.vouching import Vouching
from graphid.settings import GUESSABLE_CHARACTERS, Settings
from graphid.wiring_of_databases import database_address, ids_of, open_database

logger = structlog.get_logger()


def run_service(settings: Settings, *, progress: Progress, on_ready: Callable[[str], None]) -> None:
    """Database, schema, HTTP: until a signal. ``on_ready`` gets the URL.

    Raises SettingsError, EngineError, StaleSchema or DatabaseUnavailable when it cannot start.
    """
    log.set_up(settings.log_level, settings.log_format)
    # The port first: it fails in a moment, where the engine takes ten seconds. The engine is
    # started outside the event loop, so that Ctrl-C ends a long download at once.
    with (
        listen(settings) as listener,
        database_address(settings, progress, on_lost=_end_this_process) as address,
    ):
        run(_serve(settings, listener, address, on_ready))


def _end_this_process() -> None:
    """Without a database there is nothing to serve: a supervisor may start both again."""
    os.kill(os.getpid(), signal.SIGTERM)


async def _serve(
    settings: Settings,
    listener: socket.socket,
    address: Address,
    on_ready: Callable[[str], None],
) -> None:
    async with open_database(settings, address) as database, open_outbound() as outbound:
        await migrate(database)
        key_sets = KeySets(outbound)
        policies, ids = Policies(database, clock=now), await ids_of(settings, database)
        sequencer, erasures = Sequencer(database), Erasures(database, policies, ids, now)
        parked = Parked(database, policies.of, ids, erasures=erasures, on_written=sequencer.wake)
        audit, gate = Audit(database, now, days=settings.audit_days), gate_of(settings)
        retention = Retention(database, policies, ids, now)
        metrics = Metrics(database, gate, deleted=retention.deleted)
        stored = AccessKeys(database)
        keyring = keyring_of(settings, stored, ids)
        providers, kept = Providers(settings.oidc_providers), OidcProviders(database)
        known = KnownProviders(providers, kept, ids)
        callers = Callers(keyring, gate, staff_of(settings, key_sets))
        reads = Reads.on(database, policies, clock=now)
        feed = Feed(Log(database), reads.people, reads.visitors)
        news, listeners = News(database, feed, reads), Listeners(callers)
        sequencer.on_numbered = news.wake
        ingest = Ingest(
            database,
            policies,
            ids,
            now,
            on_parked=parked.wake,
            on_written=sequencer.wake,
            patience=settings.request_timeout,
        )
        metrics.watch(lambda: ingest.under_way, lambda: listeners.subscriptions)
        await ingest.warm()
        services = Services(
            reads=reads,
            ingest=ingest,
            operations=Operations(
                database, policies, ids, now, on_parked=parked.wake, on_written=sequencer.wake
            ),
            vouching=Vouching(
                database,
                ingest,
                ids,
                policies=policies,
                providers=known,
                exchange=CodeExchange(outbound, key_sets),
                tokens=IdTokens(key_sets),
                clock=now,
            ),
            keys=Keymaker(stored, ids, now, on_change=keyring.forget),
            providers=ProviderSetup(providers, kept, ids, now, on_change=known.forget),
            feed=feed,
            news=news,
            past=AsOf(database, policies, ids, now),
        )
        witnesses = Witnesses(audit, Addresses(settings.trusted_proxies))
        routes = [
            graphql_route(callers, services, witnesses, listeners),
            Sockets(callers, services, listeners, witnesses).route(),
            *Segment(ingest, callers, ids).routes(),
            *SdkSettings(callers).routes(),
            metrics_route(metrics, callers),
            *(graphiql_routes() if settings.graphiql else ()),
        ]
        app = create_app(routes=routes, database=database, settings=settings, metrics=metrics)
        url = address_of(listener)
        jobs = (
            *(parked, audit, sequencer, feed, news, listeners, retention),
            Planning(database),
        )
        async with AsyncExitStack() as running:
            for job in jobs:
                await running.enter_async_context(job.running())
            await serve(
                app,
                listener,
                settings,
                on_ready=lambda: on_ready(url),
                on_stop=listeners.stop,
            )
        await key_sets.aclose()
        await keyring.settle()


@asynccontextmanager
async def open_outbound() -> AsyncIterator[Outbound]:
    """What calls identity providers, closed afterwards."""
    outbound = Outbound()
    try:
        yield outbound
    finally:
        await outbound.aclose()


def staff_provider_of(settings: Settings) -> Provider | None:
    """The provider of the organisation's own people, if they have one."""
    if settings.staff_issuer is None or settings.staff_audience is None:
        return None
    return Provider(
        issuer=settings.staff_issuer,
        client_id=settings.staff_audience,
        hosts=settings.staff_hosts,
    )


def staff_of(settings: Settings, key_sets: KeySets) -> StaffTokens | None:
    """What reads the tokens of the organisation's people; None where they have no provider."""
    provider = staff_provider_of(settings)
    if provider is None:
        return None
    rules = StaffRules(provider, settings.staff_roles, settings.staff_roles_claim)
    return StaffTokens(rules, key_sets)


async def _faults_of(providers: Sequence[Provider]) -> dict[str, str]:
    async with open_outbound() as outbound:
        key_sets = KeySets(outbound)

        async def fault(provider: Provider) -> str | None:
            try:
                await key_sets.require(provider)
            except Refused as refusal:
                return refusal.message
            return None

        found = await asyncio.gather(*map(fault, providers))
        await key_sets.aclose()
    faults = zip((provider.issuer for provider in providers), found, strict=True)
    return {issuer: reason for issuer, reason in faults if reason is not None}


def ask_providers(settings: Settings) -> dict[str, str]:
    """Which of the settings' providers do not say what their keys are, by issuer: and why.

    All are asked at once; each has the time and size of ``auth.outbound``.
    """
    staff = staff_provider_of(settings)
    providers = (*settings.oidc_providers, *(() if staff is None else (staff,)))
    if not providers:
        return {}
    log.set_up("error", settings.log_format)  # what is found out is told once
    return asyncio.run(_faults_of(providers))


def keyring_of(settings: Settings, stored: AccessKeys, ids: Ids) -> Keyring:
    """What finds callers by their keys: those of the settings, and those that the graph keeps."""
    if any(len(key.get_secret_value()) < GUESSABLE_CHARACTERS for key in settings.secret_keys):
        logger.warning("secret_key_can_be_guessed", characters=GUESSABLE_CHARACTERS)
    keys = Keys.of(
        secret=[key.get_secret_value() for key in settings.secret_keys],
        publishable=[key.get_secret_value() for key in settings.publishable_keys],
    )
    return Keyring(keys, stored, ids)


def gate_of(settings: Settings) -> Gate:
    """What lets requests in. Raises SettingsError for a storage that cannot be had."""
    browsers = Limits(
        requests_per_second=settings.limit_address_requests,
        events_per_second=settings.limit_address_events,
        concurrent_requests=settings.limit_address_concurrent,
    )
    return Gate(
        Usage(open_storage(settings.limit_storage.get_secret_value())),
        Addresses(settings.trusted_proxies),
        browsers=None if browsers == Limits() else browsers,
        failures=settings.limit_address_failures,
    )
