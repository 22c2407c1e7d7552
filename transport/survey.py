"""Looks once through a parsed document for what must be known before it is measured or validated."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    Token,
    TokenKind,
)

from transport.bounds import Bounds, too_costly
from transport.rejections import Rejection, faulty_document, invalid_document

_Definition = OperationDefinitionNode | FragmentDefinitionNode

_NUMBERS = {TokenKind.INT, TokenKind.FLOAT}


@dataclass(slots=True)
class Survey:
    """The definitions of a document; `fragments` has each one after those that it spreads."""

    operations: list[OperationDefinitionNode] = field(default_factory=list)
    fragments: list[FragmentDefinitionNode] = field(default_factory=list)
    tokens: int = 0
    directives: int = 0
    asks_for_introspection: bool = False


def survey(document: DocumentNode, bounds: Bounds) -> Survey:
    """Raises Rejection for a number or a count out of bounds, fragments of one name, and fragments in a cycle."""
    found = Survey(tokens=_count_tokens(document, bounds))
    spreads: dict[str, set[str]] = {}
    by_name: dict[str, FragmentDefinitionNode] = {}
    for definition in document.definitions:
        if not isinstance(definition, _Definition):
            raise invalid_document("A request's document may define operations and fragments only.")
        spread_here, counted = _look_through(definition, found, bounds)
        found.directives += counted
        if isinstance(definition, OperationDefinitionNode):
            found.operations.append(definition)
            continue
        name = definition.name.value
        # SECURITY: of two fragments with one name, one would be measured and the other run.
        if name in by_name:
            raise invalid_document(f"There can be only one fragment named '{name}'.")
        by_name[name], spreads[name] = definition, spread_here
    _check_counts(len(by_name), found.directives, bounds)
    found.fragments = [by_name[name] for name in _in_order(spreads) if name in by_name]
    return found


def _look_through(definition: _Definition, found: Survey, bounds: Bounds) -> tuple[set[str], int]:
    """The names of the fragments spread in a definition, and how many directives it has."""
    spread: set[str] = set()
    directives = len(definition.directives or ())
    directives += sum(len(variable.directives or ()) for variable in definition.variable_definitions or ())
    for selection in _every_selection(definition.selection_set, bounds):
        directives += len(selection.directives or ())
        if isinstance(selection, FragmentSpreadNode):
            spread.add(selection.name.value)
        elif isinstance(selection, FieldNode) and selection.name.value in {"__schema", "__type"}:
            found.asks_for_introspection = True
    return spread, directives


def _every_selection(selected: SelectionSetNode, bounds: Bounds) -> Iterator[SelectionNode]:
    """All selections below, as written: no fragment is followed. Raises Rejection where they are nested too deeply."""
    pending = [(selected, 1, 1)]
    while pending:
        inside, nesting, depth = pending.pop()
        if nesting > bounds.nesting:
            raise _too_deep(nesting, depth, bounds)
        for selection in inside.selections:
            yield selection
            if isinstance(selection, FieldNode) and selection.selection_set is not None:
                pending.append((selection.selection_set, nesting + 1, depth + 1))
            elif isinstance(selection, InlineFragmentNode):
                pending.append((selection.selection_set, nesting + 1, depth))


def _too_deep(nesting: int, depth: int, bounds: Bounds) -> Rejection:
    if depth > bounds.depth:
        return faulty_document(too_costly("depth", bounds.depth, depth))
    return faulty_document(too_costly("nesting", bounds.nesting, nesting))


def _count_tokens(document: DocumentNode, bounds: Bounds) -> int:
    count = 0
    token: Token | None = document.loc.start_token if document.loc else None
    while token is not None:
        count += 1
        if token.kind in _NUMBERS and len(token.value or "") > bounds.number_length:
            # SECURITY: turning digits into a number is quadratic, and Python's own refusal says what runs here.
            raise faulty_document(too_costly("number_length", bounds.number_length, len(token.value or "")))
        token = token.next
    return count


def _check_counts(fragments: int, directives: int, bounds: Bounds) -> None:
    if fragments > bounds.fragments:
        raise faulty_document(too_costly("fragments", bounds.fragments, fragments))
    if directives > bounds.directives:
        raise faulty_document(too_costly("directives", bounds.directives, directives))


def _in_order(spreads: dict[str, set[str]]) -> list[str]:
    try:
        return list(TopologicalSorter(spreads).static_order())
    except CycleError as problem:
        raise _cycle(problem) from None


def _cycle(problem: CycleError) -> Rejection:
    names = problem.args[1]
    return invalid_document(f"Fragments must not spread each other in a circle: {', '.join(sorted(set(names)))}.")
