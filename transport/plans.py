"""Plans: what running a query comes to, worked out once from its document instead of anew for every request.

Only for what goes well. A plan covers queries without directives, and whatever it meets that it does not expect (an
exception, a null where none may be, a value of the wrong form) makes it give up; then graphql-core's executor runs the
query from the start and has the last word, so that every error is its. A query may be read twice, because reading
changes nothing; operations that change something, or that count a try of a credential, get no plan.
"""

from collections.abc import Callable, Mapping, Sequence
from inspect import CORO_CREATED, getcoroutinestate
from types import CoroutineType
from typing import Any

from graphql import (
    ExecutionResult,
    GraphQLField,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
)
from graphql.execution.values import VariableValues, get_variable_values
from graphql.pyutils import Path, gather_with_cancel

from kit.errors import Unavailable

AttributeOf = Callable[[GraphQLField], str | None]
"""The attribute of its object that a field gives back as it is; None for a field with a resolver of its own."""

NO_VARIABLES = VariableValues({}, {})


class GivenUp(Exception):
    """The plan does not go on here: graphql-core has the word."""


class Run:
    """One run of a plan: its context, its variables, and the coroutines that were made for it."""

    __slots__ = ("context", "coroutines", "variables")

    def __init__(self, context: object, variables: VariableValues) -> None:
        self.context = context
        self.variables = variables
        self.coroutines: list[Any] = []

    def keep(self, *coroutines: Any) -> None:  # noqa: ANN401 - any awaitable
        self.coroutines += coroutines

    def close(self) -> None:
        """Puts coroutines away that never began, since Python warns of them."""
        for coroutine in self.coroutines:
            if isinstance(coroutine, CoroutineType) and getcoroutinestate(coroutine) == CORO_CREATED:
                coroutine.close()


Info = GraphQLResolveInfo[Any]

# What these give back may be a coroutine of the value.
Complete = Callable[[Any, Path, Info, Run], Any]
Resolve = Callable[[Any, Path | None, Run], Any]
Fields = Sequence[tuple[str, Resolve]]


class Plan:
    """Runs one query; made by transport.planning."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode, fields: Fields) -> None:
        self._schema = schema
        self._variables = operation.variable_definitions or ()
        self._fields = fields

    async def execute(self, context: object, variables: Mapping[str, Any]) -> ExecutionResult | None:
        """The result; None where graphql-core has to say it. Raises Unavailable when a dependency is away."""
        values = self._values(variables)
        if values is None:
            return None
        run = Run(context, values)
        try:
            answer = resolve_fields(self._fields, None, None, run)
            return ExecutionResult(await answer if answer.__class__ is CoroutineType else answer)
        except Unavailable:
            # Once is enough to wait for what is away.
            run.close()
            raise
        except Exception:  # noqa: BLE001 - whatever it is, graphql-core meets it again and answers for it
            run.close()
            return None

    def _values(self, given: Mapping[str, Any]) -> VariableValues | None:
        if not self._variables:
            return NO_VARIABLES
        values = get_variable_values(self._schema, self._variables, dict(given))
        return values if isinstance(values, VariableValues) else None


def resolve_fields(fields: Fields, source: object, path: Path | None, run: Run) -> Any:  # noqa: ANN401
    """The fields of one object by their names."""
    answer: dict[str, Any] = {}
    waiting = []
    for name, resolve in fields:
        value = answer[name] = resolve(source, path, run)
        if value.__class__ is CoroutineType:
            waiting.append(name)
    return _settled(answer, waiting, run) if waiting else answer


def complete_items(complete: Complete, items: object, path: Path, info: Info, run: Run) -> Any:  # noqa: ANN401
    """The items of one list."""
    if not isinstance(items, list | tuple):
        raise GivenUp
    answer = [complete(item, Path(path, index, None), info, run) for index, item in enumerate(items)]
    waiting = [index for index, value in enumerate(answer) if value.__class__ is CoroutineType]
    return _settled(answer, waiting, run) if waiting else answer


def complete_later(awaitable: Any, complete: Complete, path: Path, info: Info, run: Run) -> Any:  # noqa: ANN401
    """The completed value of what a resolver lets wait for."""

    async def later() -> Any:  # noqa: ANN401
        done = complete(await awaitable, path, info, run)
        return await done if done.__class__ is CoroutineType else done

    coroutine = later()
    run.keep(awaitable, coroutine)
    return coroutine


def complete_leaf(value: object, coerce: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    """A scalar or an enum."""
    if value is None or value is Undefined:
        return None
    if isinstance(value, Exception):
        raise GivenUp
    done = coerce(value)
    if done is None or done is Undefined:
        raise GivenUp
    return done


def _settled(answer: Any, waiting: Sequence[Any], run: Run) -> Any:  # noqa: ANN401
    """A dict or a list, once what it waits for under some keys or indices is there."""

    async def settled() -> Any:  # noqa: ANN401
        if len(waiting) == 1:
            answer[waiting[0]] = await answer[waiting[0]]
            return answer
        done = await gather_with_cancel(*(answer[key] for key in waiting))
        for key, value in zip(waiting, done, strict=True):
            answer[key] = value
        return answer

    coroutine = settled()
    run.keep(coroutine)
    return coroutine
