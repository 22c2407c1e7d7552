"""What clients see. `schema` is the whole of it."""

import strawberry
from graphql import GraphQLField
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.tools import merge_types
from strawberry.types.field import StrawberryField

from schema.api_keys import ApiKeyMutations
from schema.queries import Query
from schema.scalars import SCALARS
from schema.sessions import SessionMutations
from schema.two_factor import TwoFactorMutations
from schema.user_errors import REFUSAL_HANDLERS

CREDENTIAL_MUTATIONS = frozenset(
    {
        "signUp",
        "completeSignUp",
        "logIn",
        "completeTwoFactor",
        "stepUp",
        "reportLeakedApiKey",
        "confirmTwoFactorPairing",
        "disableTwoFactor",
    }
)
"""Root fields that take a password, a code, a ticket or a mailed token: at most one of them a request."""

Mutation = merge_types("Mutation", (SessionMutations, ApiKeyMutations, TwoFactorMutations))

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    config=StrawberryConfig(scalar_map=SCALARS),
    exception_handlers=REFUSAL_HANDLERS,
)


def attribute_of(field: GraphQLField) -> str | None:
    """The attribute that a field without a resolver gives back; None for one that has a resolver."""
    declared = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    return declared.python_name if isinstance(declared, StrawberryField) and declared.is_basic_field else None
