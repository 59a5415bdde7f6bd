"""The schools' names and passwords at the embedded broker. Only hashes are kept, in a file beside the broker's own."""

import asyncio
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from controller.broker import EmbeddedBroker, hash_password, username_of
from controller.broker_address import Entrance
from controller.errors import PasswordsElsewhere
from controller.web.services import MqttCorner, MqttLogin
from devices.device import Namespace
from devices.hub import DeviceHub
from rooms.school import OrganisationKind, SchoolId
from rooms.store import Store


class MqttLogins:
    """Gives each school its corner of the broker. `broker` None: somebody else runs it and gives out its passwords."""

    def __init__(
        self, store: Store, hub: DeviceHub, broker: EmbeddedBroker | None, *, directory: Path, entrance: Entrance
    ) -> None:
        self._store = store
        self._hub = hub
        self._broker = broker
        self._entrance = entrance
        self._file = directory / "schools.json"
        self._writing = asyncio.Lock()

    async def take_up(self) -> None:
        """Let in and listen to the schools that the database has."""
        async with self._writing:  # of two who read at the same time, the one who read less must not have the last word
            await self._take_up()

    async def _take_up(self) -> None:
        organisations = await self._store.organisations.list()
        schools = [each.id for each in organisations if each.kind is OrganisationKind.SCHOOL]
        self._hub.set_namespaces({Namespace(each) for each in schools})
        if self._broker is not None:
            await self._broker.set_schools(self._hashes(schools))

    async def school_added(self, school_id: SchoolId) -> None:
        """Give the school its corner of the broker and listen to it."""
        await self.take_up()

    def corner(self, school_id: SchoolId, *, asked_host: str) -> MqttCorner:
        """What a technician types into the school's devices, but for the password."""
        return MqttCorner(
            address=self._entrance.for_devices(asked_host),
            username=username_of(school_id),
            discovery_prefix=self._entrance.discovery_prefix(school_id),
            own_prefix=f"sc/1/{school_id}/",
            ours=self._broker is not None,
            issued=school_id in self._read(),
        )

    async def issue_password(self, school_id: SchoolId) -> MqttLogin:
        """A new password; the old one ends. Raises `PasswordsElsewhere` for a broker that is not ours."""
        if self._broker is None:
            raise PasswordsElsewhere("the configured broker gives out its own passwords")
        password = secrets.token_urlsafe(18)
        hashed = hash_password(password)
        async with self._writing:
            hashes = self._read() | {school_id: hashed}
            temporary = self._file.with_suffix(".new")
            temporary.touch(mode=0o600)
            temporary.write_text(json.dumps(hashes))
            os.replace(temporary, self._file)
            await self._take_up()
        self._hub.doubt(Namespace(school_id))  # the broker has just cut off whoever came with the old one
        return MqttLogin(username=username_of(school_id), password=password)

    def _hashes(self, schools: Iterable[str]) -> dict[str, str]:
        hashes = self._read()
        return {school: hashes[school] for school in schools if school in hashes}

    def _read(self) -> dict[str, str]:
        if not self._file.exists():
            return {}
        hashes: dict[str, str] = json.loads(self._file.read_text())
        return hashes
