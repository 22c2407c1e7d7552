"""What clients see. `schema` is the whole of it."""

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from schema.account_ends import AccountEndMutations
from schema.api_keys import ApiKeyMutations
from schema.direct_resolvers import attribute_of, call_directly
from schema.email_changes import EmailChangeMutations
from schema.fleets import FleetMutations
from schema.members import MemberMutations
from schema.passwords import PasswordMutations
from schema.queries import Query
from schema.scalars import SCALARS
from schema.sessions import SessionMutations
from schema.social_logins import SocialLoginMutations
from schema.subscriptions import Subscription
from schema.two_factor import TwoFactorMutations
from schema.user_errors import REFUSAL_HANDLERS

__all__ = ["CREDENTIAL_MUTATIONS", "attribute_of", "schema"]

CREDENTIAL_MUTATIONS = frozenset(
    {
        *("signUp", "completeSignUp", "logIn", "completeTwoFactor", "stepUp"),
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
    subscription=Subscription,
    config=StrawberryConfig(scalar_map=SCALARS),
    exception_handlers=REFUSAL_HANDLERS,
)

call_directly(schema._schema)  # noqa: SLF001 - Strawberry's own name for what it built
