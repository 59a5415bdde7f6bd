"""What the HTTP edge needs from the rest of the controller: small Protocols, and `Services`, which holds all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from aiohttp import ClientSession
from prometheus_client import CollectorRegistry

from controller.broker.address import DeviceAddress
from controller.changes import Changes
from controller.clock.watch import ClockWatch
from controller.equipment.addresses import Addresses
from controller.network import IPNetwork
from controller.nodes.node import NodeView
from controller.processes.own_time import OwnTime
from controller.displays.pairing import Pairing
from controller.lessons.participation import Participation
from controller.people.people import People
from controller.quality.verdict import Figures
from controller.quality.history import History
from controller.people.refusals import Refusals
from controller.nodes.lease import Registration, Terms
from controller.views.values import DisplayReport, DisplayState, LessonView, SceneView, ScreenGrant, SiteQuality, WatchGrant, WatchSlots
from devices.hub import DeviceHub
from rooms.lesson import Lesson, LessonId
from rooms.room import Display, DisplayId, RoomId
from rooms.scene import StepId
from rooms.school import SchoolId
from store.store import Store


class WriteTest(Protocol):
    """Whether something can be written now."""

    async def works(self) -> bool: ...


class Conductor(Protocol):
    """Runs lessons. `actor` is for the record: an account's id, or what stands for one."""

    async def start(self, lesson_id: LessonId, actor: str) -> None:
        """Start, once however often asked. Raises `LessonNotFound`; `InvalidState` if ended or cancelled."""

    async def end(self, lesson_id: LessonId, actor: str, reason: str) -> None:
        """End, once however often asked. Raises `LessonNotFound`; `InvalidState` if it was never live."""

    async def resume(self, lesson_id: LessonId, actor: str) -> None:
        """An ended lesson goes on, once however often asked. Raises `LessonNotFound`, `InvalidState`, `RoomBusy`."""

    def restore(self, lesson_id: LessonId, room_id: RoomId, step_id: StepId) -> None:
        """Do a step of a live lesson again. Raises `SiteNotFound`, `StepNotFound`."""

    async def planned(self, lesson_id: LessonId) -> None:
        """The lesson's row was made or changed by a person (time, rooms, invitation, cancelled): look at it again."""


class Showing(Protocol):
    """What people and displays see of lessons, and what displays say."""

    async def view(self, lesson_id: LessonId) -> LessonView:
        """Raises `LessonNotFound`."""

    async def watch(
        self, lesson_id: LessonId, account_id: str, login: str, view: str, *, known: datetime
    ) -> WatchGrant:
        """For participant `viewer-<account_id>`; `view`: one of this login. Raises a RuntimeError if not live.

        `known`: when it was asked for, before it was read whether it may be given.
        """

    async def screen(self, lesson_id: LessonId, room_id: RoomId, device: str, *, known: datetime) -> ScreenGrant:
        """To share the screen of `device` as the room's. Raises a RuntimeError if not live."""

    def watch_slots(self, lesson_id: LessonId, account_id: str, login: str) -> list[WatchSlots]:
        """Of each view of the login; announced as `Change(WATCH, lesson_id)`."""

    async def display_state(self, display_id: DisplayId) -> DisplayState:
        """Raises `DisplayNotFound`. A change of it is announced as one of its display or its room."""

    def with_call(self, state: DisplayState) -> DisplayState:
        """The same with the call as it is now, for `Change(CALL, display_id)`."""

    def display_connected(self, display_id: DisplayId) -> None:
        """A page of this display has opened its WebSocket. Calls are counted: two pages, two calls."""

    def display_disconnected(self, display_id: DisplayId) -> None:
        """It closed; comes exactly once for each `display_connected`."""

    def display_unpaired(self, display: Display) -> None:
        """What it sends to a lesson and receives of it ends."""

    def display_report(self, display_id: DisplayId, report: DisplayReport) -> None:
        """What the page says of itself; at most a few a second, never raises."""


class Audience(Protocol):
    """People's own connections to live lessons."""

    async def look_again(self, lesson: Lesson, account_id: str) -> None:
        """Put this account out of the lesson if it may not be there any more."""


class Quality(Protocol):
    """How the sites of lessons are and were connected."""

    def shown(self, lesson_id: LessonId, room_id: RoomId) -> SiteQuality | None:
        """What is said of a site now; None outside live lessons."""

    def seen(self, lesson_id: LessonId) -> Mapping[RoomId, Figures]:
        """The figures of the sites that are connected now."""

    async def histories(self, lesson_id: LessonId) -> Mapping[RoomId, History]:
        """By room; empty where nothing is known, or no longer. Raises `StoreUnavailable`."""


class Scenes(Protocol):
    """Applies scenes outside lessons."""

    async def apply(self, room_id: RoomId, name: str, actor: str) -> SceneView:
        """Returns once each step has settled. Raises `SceneNotFound`, `RoomNotFound`."""


class Nodes(Protocol):
    """Where bridges live."""

    def media_url(self, bridge: str) -> str | None:
        """Base URL (no trailing slash) of the node that holds `bridge`; None while there is none."""


class Fleet(Protocol):
    """All bridge nodes, for themselves and for whoever runs them."""

    def views(self) -> list[NodeView]:
        """All nodes, by name."""

    async def drain(self, name: str, on: bool) -> None:
        """Empty a node, or use it again. Raises `NodeNotFound`, `NodeUnavailable`."""

    def register(self, registration: Registration, secret: str) -> Terms:
        """On which terms it is known. Raises `RegistrationRefused`, `NodeNameTaken`, `NodeUnavailable`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttLogin:
    """A school's name and password at the broker; shown once."""

    username: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttCorner:
    """A school's part of the broker, and how its devices come there."""

    address: DeviceAddress
    username: str
    discovery_prefix: str  # of Home Assistant discovery
    own_prefix: str  # of the native dialect
    ours: bool  # its passwords are issued here
    issued: bool  # there is one


class Broker(Protocol):
    """The broker's users. With `broker: mqtts://…` the password cannot be issued: a RuntimeError."""

    async def corner(self, school_id: SchoolId, *, asked_host: str) -> MqttCorner:
        """`asked_host`: by which name whoever asks has reached this machine."""

    async def issue_password(self, school_id: SchoolId) -> MqttLogin:
        """A new password, the old one ends. Raises `ControllerError` kinds."""

    async def school_added(self, school_id: SchoolId) -> None:
        """Give the school its corner of the broker and listen to it."""


Probe = Callable[[], bool]
"""Whether one part works now; cheap, no I/O."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything `make_app` needs. Built once by `controller/app.py`; nothing in here is owned by the web."""

    store: Store
    people: People
    hub: DeviceHub
    addresses: Addresses
    conductor: Conductor
    participation: Participation
    showing: Showing
    audience: Audience
    quality: Quality
    scenes: Scenes
    nodes: Nodes
    fleet: Fleet
    node_http: ClientSession  # to ask bridge nodes with
    broker: Broker
    changes: Changes
    pairing: Pairing
    refusals: Refusals
    clock: Callable[[], datetime]
    own_time: OwnTime  # by which pages and displays are judged
    clock_watch: ClockWatch
    probes: Mapping[str, Probe] = field(default_factory=dict)  # parts shown by /readyz beside the database
    write_tests: Mapping[str, WriteTest] = field(default_factory=dict)  # the same, for what must take writes
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)  # shown by /metrics
    dist: Path | None = None  # the built browser app; None: `controller/web/dist`
    secure: bool = False  # TLS: cookies get Secure, HSTS is sent
    trusted_proxies: tuple[IPNetwork, ...] = ()  # whose X-Forwarded-For is believed
    origins: frozenset[str] = frozenset()  # further Origins that may open WebSockets, e.g. behind a proxy
    names: frozenset[str] | None = None  # what we are called in `Host`; None: anything
