"""What the types of one request read together: each loader asks the database once for a whole level of the answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader
from tortoise.expressions import F
from tortoise.queryset import QuerySet

from models import Device, FleetInvitation, Membership, OwnershipOffer
from models.base import Row
from models.nested_pages import count_each, read_pages
from models.pages import Page

RowT = TypeVar("RowT", bound=Row)
Key = TypeVar("Key")
Value = TypeVar("Value")

FLEET = "fleet_id"


@dataclass(frozen=True, slots=True)
class FleetList:
    """A list that each fleet has."""

    name: str
    rows: Callable[[], QuerySet[Any]]


MEMBERS = FleetList("members", Membership.whole)
DEVICES = FleetList("devices", Device.all)
INVITATIONS = FleetList("invitations", FleetInvitation.open)


class Loaders:
    """The loaders of one request, made when they are asked for.

    They remember nothing, since a later mutation of the same request must not answer with what was before it.
    """

    def __init__(self) -> None:
        self._made: dict[object, DataLoader[Any, Any]] = {}

    async def member(self, fleet_id: UUID, account_id: UUID) -> Membership | None:
        """The membership of an account in a fleet."""
        found: Membership | None = await self._loader("member", _members).load((fleet_id, account_id))
        return found

    async def owner(self, fleet_id: UUID) -> Membership | None:
        """The membership of a fleet's owner."""
        found: Membership | None = await self._loader("owner", _owners).load(fleet_id)
        return found

    async def offer(self, fleet_id: UUID) -> OwnershipOffer | None:
        """The open offer of a fleet."""
        found: OwnershipOffer | None = await self._loader("offer", _offers).load(fleet_id)
        return found

    async def page(self, of: FleetList, fleet_id: UUID, *, first: int, after: str | None) -> Page[Any]:
        """One page of a list of a fleet. Raises BadRequest."""

        async def load(fleets: list[UUID]) -> list[Page[Any]]:
            pages = await read_pages(of.rows(), parent=FLEET, parents=fleets, first=first, after=after)
            return [pages[fleet] for fleet in fleets]

        found: Page[Any] = await self._loader((of.name, first, after), load).load(fleet_id)
        return found

    async def length(self, of: FleetList, fleet_id: UUID) -> int:
        """How long a list of a fleet is."""

        async def load(fleets: list[UUID]) -> list[int]:
            lengths = await count_each(of.rows(), parent=FLEET, parents=fleets)
            return [lengths[fleet] for fleet in fleets]

        found: int = await self._loader((of.name, "length"), load).load(fleet_id)
        return found

    def _loader(self, name: object, load: Callable[[list[Any]], Any]) -> DataLoader[Any, Any]:
        if name not in self._made:
            self._made[name] = DataLoader(load_fn=load, cache=False)
        return self._made[name]


async def _members(keys: Sequence[tuple[UUID, UUID]]) -> list[Membership | None]:
    fleets, accounts = {fleet for fleet, _ in keys}, {account for _, account in keys}
    rows = Membership.whole().filter(fleet_id__in=list(fleets), account_id__in=list(accounts))
    found = {(row.fleet_id, row.account_id): row for row in await rows}
    return [found.get(key) for key in keys]


async def _owners(fleets: Sequence[UUID]) -> list[Membership | None]:
    rows = Membership.whole().filter(fleet_id__in=list(set(fleets)), account_id=F("fleet__owner_id"))
    found = {row.fleet_id: row for row in await rows}
    return [found.get(fleet) for fleet in fleets]


async def _offers(fleets: Sequence[UUID]) -> list[OwnershipOffer | None]:
    found = {row.fleet_id: row for row in await OwnershipOffer.open().filter(fleet_id__in=list(set(fleets)))}
    return [found.get(fleet) for fleet in fleets]
