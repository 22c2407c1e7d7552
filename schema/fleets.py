"""Fleets, made, renamed and deleted, and their devices, as clients see it."""

from typing import Annotated
from uuid import UUID

import strawberry

from kit import ids
from resolvers import devices, fleets
from schema.accounts import Account
from schema.context import Info
from schema.fleet_types import Device, Fleet
from schema.user_errors import InvalidInput, LimitReached, NotFound, Refused, StepUpRequired

FleetId = Annotated[strawberry.ID, strawberry.argument(description="The fleet.")]
Name = Annotated[str, strawberry.argument(description="What it is to be called: 1 to 120 characters.")]


@strawberry.input(description="A device to add.")
class AddDeviceInput:
    fleet_id: strawberry.ID = strawberry.field(description="The fleet that it is added to.")
    name: str = strawberry.field(description="What it is to be called: 1 to 120 characters.")
    uuid: str | None = strawberry.field(default=None, description="Made up if left out: 32 hexadecimal digits.")


@strawberry.type(description="A fleet was made, renamed or handed over.")
class FleetChanged:
    fleet: Fleet = strawberry.field(description="The fleet as it is now.")


@strawberry.type(description="A fleet is gone, with all that was in it.")
class FleetDeleted:
    id: strawberry.ID = strawberry.field(description="What was deleted.")
    account: Account = strawberry.field(description="The account as it is now.")


@strawberry.type(description="A device was added or renamed.")
class DeviceChanged:
    device: Device = strawberry.field(description="The device as it is now.")


@strawberry.type(description="The devices are gone.")
class DevicesRemoved:
    ids: list[strawberry.ID] = strawberry.field(description="What was removed.")
    fleet_id: strawberry.ID = strawberry.field(description="The fleet that they were in.")


CreateFleetResult = Annotated[
    FleetChanged | InvalidInput | LimitReached,
    strawberry.union("CreateFleetResult", description="How `createFleet` answers."),
]
RenameFleetResult = Annotated[
    FleetChanged | InvalidInput | NotFound | Refused,
    strawberry.union("RenameFleetResult", description="How `renameFleet` answers."),
]
DeleteFleetResult = Annotated[
    FleetDeleted | NotFound | StepUpRequired | Refused,
    strawberry.union("DeleteFleetResult", description="How `deleteFleet` answers."),
]
AddDeviceResult = Annotated[
    DeviceChanged | InvalidInput | NotFound | LimitReached | Refused,
    strawberry.union("AddDeviceResult", description="How `addDevice` answers."),
]
RenameDeviceResult = Annotated[
    DeviceChanged | InvalidInput | NotFound | Refused,
    strawberry.union("RenameDeviceResult", description="How `renameDevice` answers."),
]
RemoveDevicesResult = Annotated[
    DevicesRemoved | InvalidInput | NotFound | Refused,
    strawberry.union("RemoveDevicesResult", description="How `removeDevices` answers."),
]


@strawberry.type
class FleetMutations:
    @strawberry.mutation(description="Makes a fleet that the caller owns.")
    async def create_fleet(self, info: Info, name: Name) -> CreateFleetResult:
        return FleetChanged(fleet=Fleet.from_row(await fleets.create_fleet(info.context.caller, name=name)))

    @strawberry.mutation(description="Gives a fleet another name. Owner only.")
    async def rename_fleet(self, info: Info, id: FleetId, name: Name) -> RenameFleetResult:
        row = await fleets.rename_fleet(info.context.caller, _fleet_id(id), name=name)
        return FleetChanged(fleet=Fleet.from_row(row))

    @strawberry.mutation(
        description="Removes a fleet with its devices, members and invitations. Owner only. Needs a fresh sign-in."
    )
    async def delete_fleet(self, info: Info, id: FleetId) -> DeleteFleetResult:
        caller = info.context.caller
        await fleets.delete_fleet(caller, _fleet_id(id))
        return FleetDeleted(id=id, account=Account.of_caller(caller))

    @strawberry.mutation(description="Adds a device to a fleet.")
    async def add_device(
        self, info: Info, input: Annotated[AddDeviceInput, strawberry.argument(description="The device to add.")]
    ) -> AddDeviceResult:
        row, fleet = await devices.add_device(
            info.context.caller, _fleet_id(input.fleet_id), name=input.name, uuid=input.uuid
        )
        return DeviceChanged(device=Device.from_row(row, fleet))

    @strawberry.mutation(description="Gives a device another name.")
    async def rename_device(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The device.")], name: Name
    ) -> RenameDeviceResult:
        row, fleet = await devices.rename_device(info.context.caller, _device_id(id), name=name)
        return DeviceChanged(device=Device.from_row(row, fleet))

    @strawberry.mutation(description="Removes one or many devices in one step.")
    async def remove_devices(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="1 to 1,000 devices of one fleet.")],
    ) -> RemoveDevicesResult:
        fleet = await devices.remove_devices(info.context.caller, [_device_id(device_id) for device_id in ids])
        return DevicesRemoved(ids=ids, fleet_id=Fleet.from_row(fleet).id)


def _fleet_id(fleet_id: str) -> UUID | None:
    return ids.from_global("fleet", fleet_id)


def _device_id(device_id: str) -> UUID | None:
    return ids.from_global("device", device_id)
