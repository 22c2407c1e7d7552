"""What clients see. `schema` is the whole of it."""

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from schema.api_keys import ApiKeyMutations
from schema.queries import Query
from schema.scalars import SCALARS
from schema.sessions import SessionMutations
from schema.subscriptions import Subscription
from schema.user_errors import REFUSAL_HANDLERS

CREDENTIAL_MUTATIONS = frozenset({"signUp", "completeSignUp", "logIn", "stepUp", "reportLeakedApiKey"})
"""Root fields that take a password, a code, a ticket or a mailed token: at most one of them a request."""

Mutation = merge_types("Mutation", (SessionMutations, ApiKeyMutations))

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    config=StrawberryConfig(scalar_map=SCALARS),
    exception_handlers=REFUSAL_HANDLERS,
)
