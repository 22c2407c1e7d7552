"""Identity providers: who somebody is at Google or GitHub, asked over HTTP."""

from kit.providers.exchange import (
    Exchange,
    Provider,
    ProviderDenial,
    ProviderFault,
    ProviderIdentity,
    ProviderName,
    asking,
)

__all__ = [
    "Exchange",
    "Provider",
    "ProviderDenial",
    "ProviderFault",
    "ProviderIdentity",
    "ProviderName",
    "asking",
]
