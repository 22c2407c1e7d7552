"""What a mutation can refuse stands in its union, what it does in the security log: both are read from the source."""

from typing import Any

import pytest
from graphql import GraphQLUnionType, get_named_type
from strawberry.utils.str_converters import to_camel_case

from kit import errors
from schema import schema
from schema.user_errors import REFUSAL_HANDLERS
from tests.support.call_graph import REFUSALS, Function, call_graph

CANNOT_HAPPEN = {
    "createFleet": {"Refused": "a fleet that is being made has no member yet"},
    "deleteAccount": {"InvalidInput": "as disableTwoFactor"},
    "disableTwoFactor": {"InvalidInput": "without a path, text that no password can be is a wrong password"},
}
"""Refusals that the reading of the source finds too much: mutation, refusal, and why it cannot come."""

NO_EVENT = {
    "signUp": "there is no account yet, or it is somebody else's: its owner gets a mail",
    "refreshSession": "the same sign-in goes on, and clients do it all the time",
    "stepUp": "the same person goes on; what it is for leaves its own event",
    "renameApiKey": "a name opens nothing, and the contract has no kind for it",
    "beginTwoFactorPairing": "nothing is switched on yet",
    "beginSocialLogin": "nothing has happened yet",
    "createFleet": "the contract has no kind for it: fleets are no part of how one signs in",
    "renameFleet": "as createFleet",
    "deleteFleet": "as createFleet",
    "declineFleetInvitation": "nothing came of it",
    "withdrawFleetInvitation": "nothing came of it",
    "offerFleetOwnership": "the acceptance is what changes hands",
    "withdrawOwnershipOffer": "nothing came of it",
    "addDevice": "as createFleet",
    "renameDevice": "as createFleet",
    "removeDevices": "as createFleet",
    "deleteAccount": "the log goes with the account; a mail stays",
}
"""Mutations that write nothing into the security log, and why."""

MUTATIONS = {to_camel_case(function.node.name): function for function in call_graph().mutations()}


def members(mutation: str) -> set[str]:
    """The types with which a mutation may answer."""
    root: Any = schema._schema.mutation_type
    answer = get_named_type(root.fields[mutation].type)
    assert isinstance(answer, GraphQLUnionType), mutation
    return {member.name for member in answer.types}


def test_reading_finds_every_mutation() -> None:
    root: Any = schema._schema.mutation_type

    assert set(MUTATIONS) == set(root.fields)


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_every_refusal_is_in_the_union(mutation: str) -> None:
    refusals = call_graph().refusals(MUTATIONS[mutation]) - set(CANNOT_HAPPEN.get(mutation, ()))

    assert refusals - members(mutation) == set()


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_every_mutation_leaves_an_event_or_says_why_not(mutation: str) -> None:
    assert records(MUTATIONS[mutation]) or mutation in NO_EVENT


def records(mutation: Function) -> bool:
    return any((one.owner, one.node.name) == ("SecurityEvent", "record") for one in call_graph().reached(mutation))


def test_every_refusal_has_a_type_of_its_name() -> None:
    handled = {handler.exception_type.__name__: handler.error_type.__name__ for handler in REFUSAL_HANDLERS}

    assert handled == {name: name for name in REFUSALS}


def test_reading_sees_what_is_raised_far_down() -> None:
    found = call_graph().refusals(MUTATIONS["createApiKey"])

    assert found == {"InvalidInput", "StepUpRequired", "LimitReached"}
    assert "TooManyAttempts" in call_graph().refusals(MUTATIONS["logIn"])


def test_no_refusal_is_a_protocol_error() -> None:
    for broken in (errors.Unauthenticated, errors.BadRequest, errors.Unavailable):
        assert not issubclass(broken, errors.Refusal)
