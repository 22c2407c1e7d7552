"""The GraphQL endpoint: GraphQL over HTTP, by the current draft and its audit suite."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from graphql import OperationType
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kit.addresses import Network
from kit.errors import Unauthenticated, Unavailable
from kit.origin import Origin
from transport.answers import Answer, answer_of_rejection, answer_of_result, bug, rejection_of, send_answer
from transport.body import CLOSE, is_large, read_body, too_late
from transport.calls import Call, read_call
from transport.deadline import Deadline
from transport.documents import Documents, Operation
from transport.known_bodies import KnownBodies
from transport.negotiation import Media, choose, is_json, takes
from transport.parameters import Parameters, from_query_string
from transport.rejections import ClientGone, Rejection, bad_request, too_slow, unauthenticated
from transport.running import StreamRequest, run_operation, tell_cost
from transport.trusted_documents import TrustedDocuments

Identify = Callable[[str | None, Origin], Awaitable[Any]]
"""From the Authorization header's value, or None, to the context of resolvers. Raises Unauthenticated, Unavailable."""


Stream = Callable[[StreamRequest, Scope, Receive, Send], Awaitable[None]]


class GraphQLEndpoint:
    """An ASGI application for one path.

    `identify` finds the caller; `playground` makes the page for browsers; `stream` answers what is wanted as
    `text/event-stream`. `deadline` is how many seconds a request may take, the arrival of its body included.
    """

    def __init__(
        self,
        documents: Documents,
        identify: Identify,
        *,
        trusted_documents: TrustedDocuments | None = None,
        playground: Callable[[], Response] | None = None,
        stream: Stream | None = None,
        trusted_proxies: Sequence[Network] = (),
        deadline: float = 10.0,
    ) -> None:
        self._documents = documents
        self._identify = identify
        self._trusted_documents = trusted_documents or TrustedDocuments()
        self._playground = playground
        self._stream = stream
        self._trusted_proxies = trusted_proxies
        self._deadline = deadline
        self._bodies = KnownBodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = read_call(scope, self._trusted_proxies)
        page = self._playground if call.method == "GET" else None
        media = choose(call.accept, self._stream is not None, page is not None)
        if media is Media.HTML and page is not None:
            await page()(scope, receive, send)
            return
        try:
            answer = await self._answer(call, media, receive)
        except ClientGone:
            return
        if isinstance(answer, Answer):
            await send_answer(send, answer, media or Media.JSON, call.origin.request_id)
        elif self._stream is not None:
            await self._stream(answer, scope, receive, send)

    async def _answer(self, call: Call, media: Media | None, receive: Receive) -> Answer | StreamRequest:
        """Everything that may go wrong on the way ends here as an answer."""
        form = media or Media.JSON
        deadline = Deadline(self._deadline)
        asked: Parameters | None = None
        try:
            asked = await deadline.keep(self._asked(call, media, receive))
            return await deadline.keep(self._run(call, form, asked))
        except ClientGone:
            raise
        except Rejection as rejection:
            if asked is None and is_large(call.headers):
                rejection.headers.append(CLOSE)
            return answer_of_rejection(rejection, form)
        except Unauthenticated:
            return answer_of_rejection(unauthenticated(), form)
        except Unavailable as cause:
            return answer_of_rejection(rejection_of(cause), form)
        except Exception as cause:  # noqa: BLE001 - whatever it is, the client gets an answer and the log the trace
            if isinstance(cause, TimeoutError) and deadline.has_passed:
                late = too_late(self._deadline) if asked is None else too_slow(self._deadline)
                return answer_of_rejection(late, form)
            return answer_of_rejection(bug(cause, call.origin.request_id), form)

    async def _asked(self, call: Call, media: Media | None, receive: Receive) -> Parameters:
        if call.method not in {"GET", "POST"}:
            raise _method_not_allowed(b"GET, POST", "GraphQL takes GET and POST.")
        if media is None or (not call.query_string and call.method == "GET" and takes(call.accept, Media.HTML)):
            # The second is a browser where there is no playground: told what a stranger is told, and nothing of a page.
            raise bad_request("Answers are application/graphql-response+json or application/json.", status=406)
        if call.method == "GET":
            return from_query_string(call.query_string)
        if not is_json(call.headers.get(b"content-type", b"")):
            accepted = [(b"accept-post", b"application/json")]
            raise bad_request("The body must be application/json in UTF-8.", status=415, headers=accepted)
        return self._bodies.parameters(await read_body(call.headers, receive))

    async def _run(self, call: Call, media: Media, asked: Parameters) -> Answer | StreamRequest:
        text = self._trusted_documents.text_of(asked)
        operation = self._documents.prepare(text, asked.operation_name, asked.variables)
        self._trusted_documents.register(asked)
        streams = self._is_to_stream(call, media, operation)
        context = await self._identify(call.authorization, call.origin)
        if streams:
            return StreamRequest(operation, asked, context, call.origin)
        result = await run_operation(self._documents, operation, asked.variables, context)
        answer = answer_of_result(result, media, call.origin.request_id)
        tell_cost(answer.payload, operation, asked)
        return answer

    def _is_to_stream(self, call: Call, media: Media, operation: Operation) -> bool:
        # SECURITY: whoever can make a browser follow a link must not be able to change anything by it.
        if call.method == "GET" and operation.kind is not OperationType.QUERY:
            raise _method_not_allowed(b"POST", f"A {operation.kind.value} goes by POST only.")
        if operation.kind is not OperationType.SUBSCRIPTION:
            return media is Media.EVENT_STREAM
        if self._stream is None or not takes(call.accept, Media.EVENT_STREAM):
            raise bad_request("A subscription is answered as text/event-stream, or over a WebSocket.", status=406)
        return True


def _method_not_allowed(allowed: bytes, message: str) -> Rejection:
    return bad_request(message, status=405, headers=[(b"allow", allowed)])
