"""GraphQL over a WebSocket: ``/graphql``, by the protocol ``graphql-transport-ws``.

The key comes with the request that opens the socket, as of every request, or, since browsers cannot
set headers there, in the payload of ``connection_init``: ``{"Authorization": "Bearer KEY"}``.
Operations of all kinds are taken; each has a request id of its own. A mutation that has begun is
carried out to its end, and told to the audit, whatever becomes of its connection.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack, aclosing, suppress
from typing import Any

import msgspec
import structlog
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from graphid.api.context import RequestContext, Services
from graphid.api.execution import Answer, error_body
from graphid.api.streaming import Subscribed, begin
from graphid.auth.keys import Caller
from graphid.errors import (
    Forbidden,
    GraphidError,
    InternalError,
    InvalidInput,
    RateLimited,
    Retryable,
    Unauthorized,
)
from graphid.http.callers import Callers, bearer_in
from graphid.http.json_text import parse_json
from graphid.http.listeners import Listener, Listeners
from graphid.http.operations import request_of
from graphid.http.request_id import current
from graphid.http.under_way import Operation
from graphid.http.witnesses import Witnesses

log = structlog.get_logger()

PROTOCOL = "graphql-transport-ws"

INIT_SECONDS = 10.0
"""How long a client may take until it says ``connection_init``."""

SEND_SECONDS = 10.0
"""How long a client may let a message wait before it is given up as one that reads no more."""

CLOSE_SECONDS = 1.0
"""How long it may let the last one wait, which says why the connection is closed."""

MOST_UNNOTICED = 32_768
"""Characters written to a connection before it is looked whether the client reads them."""

MOST_OPERATIONS = 200
"""How many may be under way on one connection."""

LONGEST_ID = 200
"""Characters of an operation's id."""

GOING_AWAY, NOT_VALID, INTERNAL, LATER = 1001, 4400, 4500, 1013
UNAUTHORIZED, FORBIDDEN, NO_PROTOCOL = 4401, 4403, 4406
LATE, TWICE, AGAIN = 4408, 4409, 4429
"""Codes that a connection is closed with; those from 4400 on are the protocol's."""

_encode = msgspec.json.Encoder().encode


class Sockets:
    """Answers on sockets. ``witnesses``: tell the audit of requests; ``init_seconds``: until
    ``connection_init``; ``most``: operations at once on one connection."""

    def __init__(
        self,
        callers: Callers,
        services: Services,
        listeners: Listeners,
        witnesses: Witnesses | None = None,
        *,
        init_seconds: float = INIT_SECONDS,
        most: int = MOST_OPERATIONS,
    ) -> None:
        self.callers = callers
        self.services = services
        self.listeners = listeners
        self.witnesses = witnesses
        self.init_seconds = init_seconds
        self.most = most

    def route(self) -> WebSocketRoute:
        return WebSocketRoute("/graphql", self.respond)

    async def respond(self, websocket: WebSocket) -> None:
        """Serve one connection to its end."""
        if PROTOCOL not in websocket.scope["subprotocols"]:
            await websocket.accept()
            await websocket.close(NO_PROTOCOL, "Subprotocol not acceptable")
            return
        await websocket.accept(subprotocol=PROTOCOL)
        await _Connection(self, websocket).serve()


class _Closing(Exception):
    """The connection is to be closed, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        # What a close frame can hold.
        self.reason = reason.encode()[:120].decode("utf-8", "ignore")


class _Connection:
    """One socket."""

    def __init__(self, sockets: Sockets, websocket: WebSocket) -> None:
        self._sockets = sockets
        self._websocket = websocket
        self._id = secrets.token_hex(6)
        self._count = 0
        self._operations: dict[str, Operation] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        """Of the operations, and of mutations that were dropped."""
        self._unnoticed = 0
        self._ended: asyncio.Future[_Closing] = asyncio.get_running_loop().create_future()

    async def serve(self) -> None:
        """Take messages until either side has enough."""
        taking = asyncio.create_task(self._take_all())
        either: set[asyncio.Future[Any]] = {taking, self._ended}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            await self._part(taking)
            if self._ended.done():
                await self._close(self._ended.result())
            if self._tasks:  # mutations: the ASGI server waits for them as it does for requests
                await asyncio.wait(self._tasks)
        finally:
            # The ASGI server may give up this task, too: when what is under way had its time.
            for task in self._tasks:
                task.cancel()
            await self._part(taking)

    async def _part(self, taking: asyncio.Task[None]) -> None:
        """Take no more messages, and drop what is under way."""
        taking.cancel()
        for operation in self._operations.values():
            operation.drop()
        await asyncio.wait({taking})

    async def _close(self, closing: _Closing) -> None:
        log.info("socket_closed", code=closing.code, operations=self._count)
        with suppress(Exception):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._websocket.close(closing.code, closing.reason)

    def _end(self, closing: _Closing) -> None:
        if not self._ended.done():
            self._ended.set_result(closing)

    def _end_for(self, error: GraphidError | None) -> None:
        """The key opens nothing any more; None: the process stops."""
        if error is None:
            self._end(_Closing(GOING_AWAY, "The service stops; connect again."))
        else:
            self._end(_closing_for(error))

    # ------------------------------------------------------------------ messages

    async def _take_all(self) -> None:
        try:
            caller, shown = await self._begun()
            with self._sockets.listeners.listening(Listener(shown, self._end_for)):
                await self._send({"type": "connection_ack"})
                while True:
                    await self._take(await self._message(), caller)
        except WebSocketDisconnect:
            pass
        except _Closing as closing:
            self._end(closing)
        except TimeoutError:
            self._end(_Closing(LATE, "Connection initialisation timeout"))
        except Exception as error:
            log.error("socket_failed", exc_info=error)
            self._end(_Closing(INTERNAL, "Something went wrong on our side."))

    async def _begun(self) -> tuple[Caller, str]:
        """Whoever opens the connection, and what they show."""
        async with asyncio.timeout(self._sockets.init_seconds):
            while True:
                message = await self._message()
                match message["type"]:
                    case "connection_init":
                        break
                    case "ping":
                        await self._pong(message)
                    case "pong":
                        pass
                    case _:
                        raise _Closing(UNAUTHORIZED, "Unauthorized")
        shown = self._shown(message.get("payload"))
        try:
            said = 'Send a key in connection_init: {"Authorization": "Bearer KEY"}.'
            return await self._sockets.callers.find(self._websocket, shown, said), shown or ""
        except GraphidError as error:
            raise _closing_for(error) from None

    def _shown(self, payload: Any) -> str | None:
        if isinstance(payload, Mapping):
            for name, value in payload.items():
                if name.lower() == "authorization" and isinstance(value, str):
                    return bearer_in(value)
        return bearer_in(self._websocket.headers.get("authorization", ""))

    async def _message(self) -> dict[str, Any]:
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1005))
        text = received.get("text")
        if text is None:
            raise _Closing(NOT_VALID, "A message must be text.")
        try:
            message = parse_json(text.encode("utf-8", "surrogatepass"))
        except InvalidInput as error:
            raise _Closing(NOT_VALID, error.message) from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise _Closing(NOT_VALID, "A message must be an object with a type.")
        return message

    async def _take(self, message: dict[str, Any], caller: Caller) -> None:
        match message["type"]:
            case "subscribe":
                await self._subscribe(_id_of(message), message.get("payload"), caller)
            case "complete":
                await self._complete(_id_of(message))
            case "ping":
                await self._pong(message)
            case "pong":
                pass
            case "connection_init":
                raise _Closing(AGAIN, "Too many initialisation requests")
            case _:
                raise _Closing(NOT_VALID, "There is no message of this type.")

    async def _pong(self, message: dict[str, Any]) -> None:
        payload = {"payload": message["payload"]} if "payload" in message else {}
        await self._send({"type": "pong", **payload})

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self._send_text(_encode(message).decode())

    async def _send_text(self, text: str) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.send({"type": "websocket.send", "text": text})
        except TimeoutError:
            raise _Closing(LATER, "The client reads too slowly.") from None
        except (WebSocketDisconnect, RuntimeError, OSError):
            raise WebSocketDisconnect from None
        self._unnoticed += len(text)
        if self._unnoticed > MOST_UNNOTICED:
            # What was written is not all in the socket yet: let that be noticed. Not after each:
            # what one turn of the loop writes goes out with one call of the system.
            self._unnoticed = 0
            await asyncio.sleep(0)

    # ------------------------------------------------------------------ operations

    async def _subscribe(self, id: str, payload: Any, caller: Caller) -> None:
        if id in self._operations:
            raise _Closing(TWICE, f"Subscriber for {id} already exists")
        self._count += 1
        request_id = f"{self._id}-{self._count}"
        most = self._sockets.most
        if len(self._tasks) >= most:
            # Waited for: who sends on and reads nothing is not listened to meanwhile.
            error = RateLimited(f"One connection may have {most} operations at once.")
            with structlog.contextvars.bound_contextvars(request_id=request_id):
                await self._refuse(id, error_body(error))
            return
        operation = Operation(id, request_id)
        operation.task = task = asyncio.create_task(self._operate(operation, payload, caller))
        self._operations[id] = operation
        self._tasks.add(task)

        def over(done: asyncio.Task[None]) -> None:
            self._tasks.discard(done)
            if self._operations.get(id) is operation:
                del self._operations[id]
            if not done.cancelled() and (error := done.exception()) is not None:
                self._failed(error)

        task.add_done_callback(over)

    async def _complete(self, id: str) -> None:
        operation = self._operations.get(id)
        if operation is None:
            return
        operation.drop()
        if operation.is_changing:
            # That may take a while, in which nobody needs to wait, nor to spare the id.
            del self._operations[id]
        else:
            await asyncio.wait({operation.task})

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, _Closing):
            self._end(error)
        elif not isinstance(error, WebSocketDisconnect):
            log.error("socket_failed", exc_info=error)
            self._end(_Closing(INTERNAL, "Something went wrong on our side."))

    async def _operate(self, operation: Operation, payload: Any, caller: Caller) -> None:
        current.set(operation.request_id)
        with structlog.contextvars.bound_contextvars(request_id=operation.request_id):
            try:
                await self._carry_out(operation, payload, caller)
            except GraphidError as error:
                await self._refuse(operation.id, error_body(error))
            except (_Closing, WebSocketDisconnect):
                raise
            except Exception as error:
                log.error("request_failed", exc_info=error)
                await self._refuse(operation.id, error_body(InternalError()))

    async def _carry_out(self, operation: Operation, payload: Any, caller: Caller) -> None:
        id, sockets = operation.id, self._sockets
        if not isinstance(payload, dict):
            raise InvalidInput("payload must be an object.", path=["payload"])
        request = request_of(payload)
        context = RequestContext.of(caller, sockets.services)
        if sockets.witnesses is not None:
            context.audit = sockets.witnesses.of(caller.name, self._websocket)
        async with AsyncExitStack() as stack:
            context.allowance = sockets.callers.allowance(caller, self._websocket)
            if context.allowance is not None:
                await stack.enter_async_context(context.allowance)
            changing = operation.changing()
            found = await begin(request, context, may_change=True, changing=changing)
            if isinstance(found, Answer):
                await self._answer(id, found)
                return
            await stack.enter_async_context(aclosing(found))
            stack.enter_context(sockets.listeners.subscribed(caller))
            await self._tell(id, found)
        await self._send({"type": "complete", "id": id})

    async def _answer(self, id: str, found: Answer) -> None:
        if found.refusal is not None:
            await self._refuse(id, found.body)
            return
        await self._send({"type": "next", "id": id, "payload": found.body})
        await self._send({"type": "complete", "id": id})

    async def _tell(self, id: str, subscribed: Subscribed) -> None:
        head = f'{{"type":"next","id":{_encode(id).decode()},"payload":'
        payloads = subscribed.payloads()
        try:
            async for payload in payloads:
                await self._send_text(f"{head}{payload.decode()}}}")
        finally:
            await payloads.aclose()

    async def _refuse(self, id: str, body: Mapping[str, Any]) -> None:
        await self._send({"type": "error", "id": id, "payload": body["errors"]})


def _id_of(message: Mapping[str, Any]) -> str:
    id = message.get("id")
    if not isinstance(id, str) or not 0 < len(id) <= LONGEST_ID:
        raise _Closing(NOT_VALID, f"id must be a text of 1 to {LONGEST_ID} characters.")
    return id


def _closing_for(error: GraphidError) -> _Closing:
    """How a connection ends that cannot be had, or no longer."""
    if isinstance(error, Forbidden):
        return _Closing(FORBIDDEN, error.message)
    if isinstance(error, Unauthorized):
        return _Closing(UNAUTHORIZED, error.message)
    return _Closing(LATER if isinstance(error, Retryable) else INTERNAL, error.message)
