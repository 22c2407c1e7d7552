"""What clients see. `schema` is the whole of it."""

import strawberry
from graphql import GraphQLField
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.tools import merge_types
from strawberry.types.field import StrawberryField

from schema.account_ends import AccountEndMutations
from schema.api_keys import ApiKeyMutations
from schema.email_changes import EmailChangeMutations
from schema.fleets import FleetMutations
from schema.members import MemberMutations
from schema.passwords import PasswordMutations
from schema.queries import Query
from schema.scalars import SCALARS
from schema.sessions import SessionMutations
from schema.social_logins import SocialLoginMutations
from schema.two_factor import TwoFactorMutations
from schema.user_errors import REFUSAL_HANDLERS

CREDENTIAL_MUTATIONS = frozenset(
    {
        *("signUp", "completeSignUp", "logIn", "completeTwoFactor", "stepUp", "reportLeakedApiKey"),
        *("resetPassword", "setPassword", "changePassword", "confirmEmailChange", "completeSocialLogin"),
        *("confirmTwoFactorPairing", "disableTwoFactor", "deleteAccount"),
        *("fleetInvitation", "acceptFleetInvitation", "declineFleetInvitation"),
    }
)
"""Root fields that take a password, a code, a ticket or a mailed token: at most one of them a request."""

Mutation = merge_types(
    "Mutation",
    (
        SessionMutations,
        SocialLoginMutations,
        PasswordMutations,
        EmailChangeMutations,
        ApiKeyMutations,
        TwoFactorMutations,
        FleetMutations,
        MemberMutations,
        AccountEndMutations,
    ),
)

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
