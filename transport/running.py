"""Runs what was prepared: one answer, or a stream of them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult, GraphQLError, OperationType, execute
from graphql.execution import Executor, create_source_event_stream, map_source_to_response_event

from kit.errors import ChangedMeanwhile
from kit.origin import Origin
from transport.answers import answer_of_result, bug
from transport.documents import Documents, Operation
from transport.faults import cause_of
from transport.negotiation import Media
from transport.parameters import Parameters
from transport.rejections import Rejection, too_slow

Payload = dict[str, Any]

_READ_AGAIN = 5


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """An operation whose answer is to be a stream: bounded, validated, and its caller known."""

    operation: Operation
    parameters: Parameters
    context: Any
    origin: Origin


async def run_operation(
    documents: Documents, operation: Operation, variables: dict[str, Any], context: object
) -> ExecutionResult:
    """The result of a query or a mutation. A query is read again where what it reads has changed on the way."""
    again = _READ_AGAIN if operation.kind is OperationType.QUERY else 0
    for _ in range(again):
        with suppress(ChangedMeanwhile):
            result = await _run(documents, operation, variables, context)
            if not any(isinstance(cause_of(error), ChangedMeanwhile) for error in result.errors or ()):
                return result
    return await _run(documents, operation, variables, context)


async def _run(
    documents: Documents, operation: Operation, variables: dict[str, Any], context: object
) -> ExecutionResult:
    if operation.plan is not None:
        planned = await operation.plan.execute(context, variables)
        if planned is not None:
            return planned
    result = execute(
        documents.schema,
        operation.document,
        context_value=context,
        variable_values=variables,
        operation_name=operation.name,
        executor_class=Executor,
        hide_suggestions=not documents.introspection,
    )
    return result if isinstance(result, ExecutionResult) else await result


def tell_cost(payload: Payload, operation: Operation, asked: Parameters) -> None:
    """Says in an answer, and in each of a stream, what it costs, where `extensions: {"cost": true}` asks for it."""
    if asked.extensions.get("cost") is True:
        payload["extensions"] = {"cost": operation.cost(asked.variables)}


async def open_stream(documents: Documents, asked: StreamRequest, *, deadline: float = 10.0) -> "Results":
    """What the operation answers with, once it is certain that a subscription follows what it is to follow.

    Raises Rejection: for a bug, where a dependency is away, or where this took longer than the deadline, in seconds.
    """
    try:
        async with asyncio.timeout(deadline):
            return await _open(documents, asked)
    except TimeoutError:
        raise too_slow(deadline) from None
    except Rejection:
        raise
    except Exception as cause:
        raise bug(cause, asked.origin.request_id) from cause


async def _open(documents: Documents, asked: StreamRequest) -> "Results":
    if asked.operation.kind is not OperationType.SUBSCRIPTION:
        result = await run_operation(documents, asked.operation, asked.parameters.variables, asked.context)
        return Results(_once(_payload(result, asked)))
    executor = _executor(documents, asked)
    if isinstance(executor, list):
        return Results(_once(_payload(ExecutionResult(None, errors=executor), asked)))
    source = create_source_event_stream(executor)
    if isinstance(source, Awaitable):
        source = await source
    if isinstance(source, ExecutionResult):
        return Results(_once(_payload(source, asked)))
    return Results(_mapped(executor, source, asked), source)


class Results:
    """The payloads of a stream. Close it: what it follows is bounded by account."""

    def __init__(self, payloads: AsyncGenerator[Payload], source: AsyncIterable[Any] | None = None) -> None:
        self._payloads = payloads
        self._source = source

    def __aiter__(self) -> "Results":
        return self

    async def __anext__(self) -> Payload:
        """The next payload. Raises StreamBroken, and Rejection where nothing more can be answered."""
        return await anext(self._payloads)

    async def aclose(self) -> None:
        """Let go of what is followed."""
        await self._payloads.aclose()
        # A generator that was never begun does not close what it would have iterated over.
        close = getattr(self._source, "aclose", None)
        if close is not None:
            await close()


async def _once(payload: Payload) -> AsyncGenerator[Payload]:
    yield payload


async def _mapped(executor: Executor[Any], source: AsyncIterable[Any], asked: StreamRequest) -> AsyncGenerator[Payload]:
    async with aclosing(map_source_to_response_event(executor, source)) as results:
        async for result in results:
            yield _payload(result, asked)


def _executor(documents: Documents, asked: StreamRequest) -> Executor[Any] | list[GraphQLError]:
    return Executor.build(
        documents.schema,
        asked.operation.document,
        context_value=asked.context,
        raw_variable_values=asked.parameters.variables,
        operation_name=asked.operation.name,
        hide_suggestions=not documents.introspection,
    )


def _payload(result: ExecutionResult, asked: StreamRequest) -> Payload:
    """What clients see of a result. Raises Rejection."""
    payload = answer_of_result(result, Media.GRAPHQL, asked.origin.request_id).payload
    tell_cost(payload, asked.operation, asked.parameters)
    return payload
