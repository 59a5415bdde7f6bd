"""What the HTTP edge needs from the rest of the controller."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from aiohttp import ClientSession
from prometheus_client import CollectorRegistry

from controller.broker.school_logins import MqttLogins
from controller.clock.watch import ClockWatch
from controller.displays.pairing import Pairing
from controller.equipment.addresses import Addresses
from controller.equipment.claims import Claims
from controller.equipment.inventory import Inventory
from controller.equipment.rooms import Rooms
from controller.lessons.audience import Audience
from controller.lessons.conductor import Conductor
from controller.lessons.participation import Participation
from controller.lessons.planning import Planning
from controller.lessons.room_scenes import Scenes
from controller.lessons.running import Running
from controller.network import IPNetwork
from controller.nodes.fleet import Fleet
from controller.people.organisations import Organisations
from controller.people.people import People
from controller.people.refusals import Refusals
from controller.people.setup import Setup
from controller.processes.own_time import OwnTime
from controller.processes.write_test import WriteTest
from controller.quality.watch import QualityWatch
from controller.views.views import Views
from devices.changes import Changes
from devices.hub import DeviceHub
from store.store import Store

Probe = Callable[[], bool]
"""Whether one part works now; cheap, no I/O."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything `make_app` needs. Built once by `controller/app.py`; nothing in here is owned by the web."""

    store: Store
    people: People
    organisations: Organisations
    setup: Setup
    hub: DeviceHub
    addresses: Addresses
    inventory: Inventory
    conductor: Conductor
    planning: Planning
    running: Running
    participation: Participation
    views: Views
    audience: Audience
    quality: QualityWatch
    scenes: Scenes
    rooms: Rooms
    fleet: Fleet
    media_url: Callable[[str], str | None]  # base URL of the node that holds a bridge; None while there is none
    node_http: ClientSession  # to ask bridge nodes with
    broker: MqttLogins
    changes: Changes
    pairing: Pairing
    claims: Claims
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
