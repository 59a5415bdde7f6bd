"""Three schools behind one real server on loopback: a host, a guest, and one that has no part in anything.

Real: database (SQLite), conductor, views, scenes, device hub, pairing, people. The broker does not run and no bridge
node is configured, which is a state the controller has to live with anyway.
"""

import asyncio
import atexit
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import aiohttp
from aiohttp import web
from argon2 import PasswordHasher

from controller.broker.address import Entrance
from controller.broker.embedded import EmbeddedBroker
from controller.broker.school_logins import MqttLogins
from controller.changes import ChangeKind
from controller.clock.watch import ClockWatch, Machine
from controller.config.model import Address, BridgeConfig, EmbeddedBrokerConfig
from controller.displays.pairing import Pairing
from controller.displays.pairing_codes import PairingCodes
from controller.equipment.addresses import Addresses
from controller.equipment.claims import Claims
from controller.equipment.inventory import Inventory
from controller.equipment.persistence import restore_devices
from controller.equipment.rooms import Rooms
from controller.lessons.audience import Audience
from controller.lessons.conductor import Conductor
from controller.lessons.participation import Participation
from controller.lessons.planning import Planning
from controller.lessons.room_scenes import Scenes
from controller.lessons.running import Running
from controller.nodes.bridges import Nodes
from controller.people.organisations import Organisations
from controller.people.password import Passwords
from controller.people.people import People
from controller.people.refusals import Refusals
from controller.people.secret import hash_of
from controller.people.setup import Setup
from controller.processes.own_time import own_time
from controller.views.views import Views
from controller.web.remote import idle_connections
from controller.web.server import make_app
from controller.web.services import Services
from devices.changes import Changes
from devices.device import (
    Capability,
    Device,
    DeviceId,
    DeviceRecord,
    DeviceType,
    Kind,
    Namespace,
    Property,
    PropertyName,
)
from devices.dialects.native import NativeDialect, describe, native_id
from devices.gateways.pjlink import PJLinkGateway
from devices.hub import DeviceHub
from devices.mqtt.connection import MqttSettings
from rooms.lesson import Lesson, LessonId
from rooms.people.account import Account, Role, RoleAt
from rooms.people.rights import OWNER
from rooms.room import Display, DisplayId, Room, RoomId
from rooms.scene import Scene, SceneStep, StepId
from rooms.school import Organisation, OrganisationId, OrganisationKind, SchoolId
from store import Store, open_store
from testing.clock import AheadClock
from webrtc.shared.idle_connections import listen
from webrtc.shared.serving import serving

PASSWORD = "correct horse battery"
HOST, GUEST, OTHER = (SchoolId(OrganisationId(each)) for each in ("nguyen-viet-xuan", "le-loi", "kim-dong"))
ROOMS = {school: Room(id=RoomId(f"room-{school}"), school_id=school, name="4A") for school in (HOST, GUEST, OTHER)}
POWER = PropertyName("power")
LESSON = LessonId("lesson-1")
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
Accounts = dict[tuple[SchoolId, Role], Account]


def device_of(school: SchoolId, key: str = "projector") -> Device:
    """A projector as its own description has it."""
    power = Property(name=POWER, capability=Capability.POWER, kind=Kind.ENUM, options=("on", "off"), settable=True)
    return Device(
        id=native_id(Namespace(school), "4a", key),
        namespace=Namespace(school),
        dialect="native",
        key=f"4a/{key}",
        name="Máy chiếu",
        type=DeviceType.PROJECTOR,
        properties=(power,),
    )


@dataclass
class Visitor:
    """A browser or program: its cookies, its CSRF token, its API token."""

    http: aiohttp.ClientSession
    url: str
    csrf: str | None = None
    token: str | None = None
    account: Account | None = None

    async def ask(
        self,
        method: str,
        path: str,
        json: object = None,
        *,
        headers: dict[str, str] | None = None,
        api: str = "/api/v1",
    ) -> tuple[int, dict[str, object]]:
        """The status, and the answer's JSON ({} where there is none)."""
        sent = dict(headers or {})
        if self.csrf is not None:
            sent.setdefault("X-CSRF-Token", self.csrf)
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        async with self.http.request(method, self.url + api + path, json=json, headers=sent) as answer:
            body = await answer.json(content_type=None) if answer.content_length else {}
            return answer.status, body

    async def log_in(self, name: str, password: str = PASSWORD) -> int:
        status, body = await self.ask("POST", "/login", {"name": name, "password": password})
        if status == 200:
            self.csrf = str(body["csrf"])
        return status

    def socket(self, path: str = "/events", **headers: str) -> "aiohttp.client._WSRequestContextManager":
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.http.ws_connect(f"{self.url}/api/v1{path}", headers={**sent, **headers})


@dataclass(kw_only=True)
class House:
    services: Services
    store: Store
    people: People
    hub: DeviceHub
    clock: AheadClock
    url: str
    runner: web.AppRunner
    accounts: Accounts
    _stack: AsyncExitStack
    _tokens: dict[str, str] = field(default_factory=dict)

    async def visitor(self) -> Visitor:
        """Somebody nobody knows yet."""
        jar = aiohttp.CookieJar(unsafe=True)  # an address instead of a name
        return Visitor(await self._stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar)), self.url)

    async def logged_in(self, school: SchoolId, role: Role) -> Visitor:
        """A browser in which this person is logged in."""
        visitor = await self.visitor()
        visitor.account = self.accounts[school, role]
        assert await visitor.log_in(visitor.account.name) == 200
        return visitor

    async def program(self, school: SchoolId, role: Role) -> Visitor:
        """A program with an API token of this person."""
        visitor = await self.visitor()
        visitor.account = self.accounts[school, role]
        _, visitor.token = await self.people.tokens.create(visitor.account.id, "test", rights=OWNER, actor="test")
        return visitor

    async def operator(self) -> Visitor:
        """A program of somebody who operates the installation."""
        account = self.accounts[HOST, Role.ADMINISTRATOR]
        await self.people.accounts.set_operator(account.id, True, actor="test")
        return await self.program(HOST, Role.ADMINISTRATOR)

    async def discovered(self, school: SchoolId, key: str) -> Device:
        """One more device in the school's inbox, as after a restart."""
        device = device_of(school, key)
        topic, payload = f"sc/1/{school}/4a/{key}/desc", describe(device)
        record = DeviceRecord(device=device, discovery_topic=topic, discovery_payload=payload)
        await self.store.devices.save([record])
        self.hub.restore([record])
        return device

    async def display(
        self, school: SchoolId = HOST, name: str = "display-1", secret: str = "display-secret"
    ) -> DisplayId:
        """A paired display of the school's room, whose cookie is `secret`."""
        display = Display(id=DisplayId(name), room_id=ROOMS[school].id, name="Tivi", paired_at=self.clock())
        await self.store.displays.add(display, hash_of(secret))
        return display.id


@asynccontextmanager
async def open_house(
    directory: Path,
    *,
    nodes: Nodes | None = None,
    media_url: Callable[[str], str | None] = lambda bridge: None,
    node_http: aiohttp.ClientSession | None = None,
    secure: bool = False,
    empty: bool = False,
    names: frozenset[str] | None = None,
) -> AsyncIterator[House]:
    """The house with its people, rooms, a claimed projector each, a linked lesson of HOST and GUEST, serving.

    `empty`: as on the first start.
    """
    clock = AheadClock()
    accounts = {} if empty else await _copy_furnished(directory / "house.db")
    async with AsyncExitStack() as stack:
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        store = await stack.enter_async_context(open_store(f"sqlite:///{directory / 'house.db'}"))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        if not empty:
            await store.lessons.add(lesson_at(LESSON, clock()))
        hub = DeviceHub(
            connection=MqttSettings(host="127.0.0.1", port=_closed_port()),
            dialects=[NativeDialect()],
            gateways=[PJLinkGateway()],
            clock=clock,
        )
        hub.set_namespaces({Namespace(school) for school in ROOMS})
        await restore_devices(store, hub)
        changes = Changes()
        counted = await stack.enter_async_context(own_time())
        no_nodes = Nodes(BridgeConfig(nodes=()), data_dir=directory, http=http, own_time=counted)
        conductor = Conductor(
            store=store, hub=hub, nodes=no_nodes, changes=changes, grace=timedelta(minutes=10), clock=clock
        )
        machine = Machine(uptime_s=lambda: clock().timestamp())  # so the clock never jumps, however it is moved
        clock_watch = ClockWatch(store.clock, clock=clock, machine=machine)
        views = Views.of(store=store, nodes=no_nodes, conductor=conductor, changes=changes, clock=clock)
        people = People.over(
            store, clock=clock, passwords=QUICK, changed=lambda id: changes.publish(ChangeKind.ACCOUNT, id)
        )
        audience = Audience(
            people.accounts,
            store=store,
            conductor=conductor,
            nodes=no_nodes,
            changes=changes,
            guests=views.watching.guests,
            clock=clock,
        )
        listens_at = Address("0.0.0.0", 1883)
        broker = EmbeddedBroker(EmbeddedBrokerConfig(listen=listens_at), directory=directory / "broker")
        logins = MqttLogins(store, hub, broker, directory=directory, entrance=Entrance(listen=listens_at), clock=clock)
        organisations = Organisations(store, people.accounts, logins, changes, clock=clock)
        services = Services(
            store=store,
            people=people,
            organisations=organisations,
            setup=Setup(store, people.accounts, people.links, organisations),
            hub=hub,
            addresses=Addresses(store, hub, networks=[ip_network("127.0.0.0/8")], clock=clock),
            inventory=Inventory(hub),
            conductor=conductor,
            planning=Planning(store, conductor, clock=clock),
            running=Running(store, conductor, clock=clock),
            participation=Participation(store, conductor, clock=clock),
            views=views,
            audience=audience,
            scenes=Scenes(store, hub, changes, clock=clock, in_lesson=conductor.in_lesson),
            rooms=Rooms(store, changes, clock=clock),
            quality=views.quality,
            media_url=nodes.media_url if nodes else media_url,
            fleet=(nodes or no_nodes).fleet,
            node_http=node_http or http,
            broker=logins,
            changes=changes,
            pairing=Pairing(
                store,
                codes=PairingCodes(clock=clock),
                displays=views.displays,
                conductor=conductor,
                nodes=no_nodes,
                changes=changes,
                clock=clock,
            ),
            claims=Claims(store, hub, changes, clock=clock),
            refusals=Refusals(store, people.accounts, clock=clock),
            clock=clock,
            own_time=counted,
            clock_watch=clock_watch,
            probes={"mqtt": lambda: hub.connected},
            dist=directory / "dist",
            secure=secure,
            names=names,
        )
        for part in (hub.run(), conductor.run(), audience.run()):
            stack.callback(tasks.create_task(part).cancel)
        runner = await stack.enter_async_context(
            serving(make_app(services), listen("127.0.0.1", 0), idle=idle_connections(()), shutdown_timeout_s=1.0)
        )
        host, port = runner.addresses[0][:2]
        yield House(
            services=services,
            store=store,
            people=people,
            hub=hub,
            clock=clock,
            url=f"http://{host}:{port}",
            runner=runner,
            accounts=accounts,
            _stack=stack,
        )


_furnished: dict[Path, Accounts] = {}  # by the database's file: made for the first house of this process


async def _copy_furnished(file: Path) -> Accounts:
    """Put a database with people, rooms and devices at `file`: to make one takes longer than most tests."""
    if not _furnished:
        template = Path(tempfile.mkdtemp(prefix="nhipcau-house-")) / "house.db"
        atexit.register(shutil.rmtree, template.parent)
        async with open_store(f"sqlite:///{template}") as store:
            await _furnish(store)
            _furnished[template] = await _invite(People.over(store, clock=AheadClock(), passwords=QUICK))
    [(template, accounts)] = _furnished.items()
    shutil.copy(template, file)
    return dict(accounts)


async def _furnish(store: Store) -> None:
    names = {HOST: ("Nguyễn Viết Xuân", "Thái Nguyên"), GUEST: ("Lê Lợi", "Nghệ An"), OTHER: ("Kim Đồng", "Huế")}
    for school, (name, province) in names.items():
        await store.organisations.add(
            Organisation(id=school, kind=OrganisationKind.SCHOOL, name=f"Trường Tiểu học {name}", province=province)
        )
        room = ROOMS[school]
        await store.rooms.add(room)
        for key in ("projector", "spare"):
            device = device_of(school, key)
            topic = f"sc/1/{school}/4a/{key}/desc"
            await store.devices.save(
                [DeviceRecord(device=device, discovery_topic=topic, discovery_payload=describe(device))]
            )
        await store.devices.claim(device_of(school).id, room.id)
        step = SceneStep(
            id=StepId("on"),
            device_id=device_of(school).id,
            property=POWER,
            value="on",
            deadline=timedelta(milliseconds=100),
        )
        await store.scenes.put(Scene(room_id=room.id, name="lesson", steps=(step,)))


def lesson_at(id: LessonId, start: datetime, *, host: SchoolId = HOST, guest: SchoolId = GUEST) -> Lesson:
    """A lesson of `host` with `guest`, 35 minutes."""
    return Lesson.planned(
        id=id,
        title="Sông Hồng",
        host_school_id=host,
        start=start,
        end=start + timedelta(minutes=35),
        rooms=[ROOMS[host], ROOMS[guest]],
    )


async def _invite(people: People) -> Accounts:
    return {
        (school, role): await people.accounts.add(
            name=f"{role}.{school}",
            display_name=f"{role} {school}",
            password=PASSWORD,
            roles=[RoleAt(role, school)],
            rights=OWNER,
            actor="test",
        )
        for school in ROOMS
        for role in Role
    }


def _closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def unclaimed(school: SchoolId) -> DeviceId:
    return device_of(school, "spare").id


def claimed(school: SchoolId) -> DeviceId:
    return device_of(school).id
