"""The controller put together: what it consists of, in the order in which it starts; it ends in the reverse order."""

import asyncio
import logging
import secrets
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError

from controller.broker.address import Entrance
from controller.broker.embedded import EmbeddedBroker
from controller.broker.school_logins import MqttLogins
from controller.changes import ChangeKind
from controller.clock.watch import ClockWatch
from controller.config.model import (
    Address,
    Config,
    EmbeddedBrokerConfig,
    ExternalBrokerConfig,
    HttpConfig,
    MqttConfig,
    TlsConfig,
)
from controller.displays.pairing import Pairing
from controller.displays.pairing_codes import PairingCodes
from controller.equipment.addresses import Addresses
from controller.equipment.claims import Claims
from controller.equipment.inventory import Inventory
from controller.equipment.persistence import DeviceRecords, restore_devices
from controller.equipment.rooms import Rooms
from controller.errors import ListenFailed
from controller.lessons.audience import Audience
from controller.lessons.conductor import Conductor
from controller.lessons.participation import Participation
from controller.lessons.planning import Planning
from controller.lessons.room_scenes import Scenes
from controller.lessons.running import Running
from controller.nodes.bridges import Nodes
from controller.nodes.http import node_session
from controller.nodes.metrics import NodeCollector
from controller.operator.socket import listen_for_operators
from controller.people.organisations import Organisations
from controller.people.people import People
from controller.people.refusals import Refusals
from controller.people.setup import Setup
from controller.processes.descriptors import ReservingSocket
from controller.processes.own_time import OwnTime, own_time
from controller.processes.write_test import WriteTest
from controller.quality.metrics import QualityCollector
from controller.small_file import write_small
from controller.views.views import Views
from controller.web.names import known_names
from controller.web.operator import operator_app
from controller.web.remote import idle_connections
from controller.web.server import make_app
from controller.web.services import Services
from controller.web.standby import standby_app
from devices.changes import Changes
from devices.dialects.homeassistant.dialect import HomeAssistantDialect
from devices.dialects.native import NativeDialect
from devices.gateways.pjlink import PJLinkGateway
from devices.hub import DeviceHub
from devices.mqtt.connection import MqttSettings
from rooms.errors import RoomsError
from store import Store, open_store
from store.leadership import leadership
from webrtc.shared.idle_connections import IdleConnections, listen
from webrtc.shared.serving import serving

logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The controller's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """The running parts, for those who start it: the command line, the demo, tests."""

    config: Config
    url: str  # where people reach it, without a slash at the end
    store: Store
    people: People
    hub: DeviceHub
    addresses: Addresses
    nodes: Nodes
    conductor: Conductor
    planning: Planning
    participation: Participation
    changes: Changes
    claims: Claims
    organisations: Organisations
    rooms: Rooms
    scenes: Scenes
    logins: MqttLogins
    mqtt: MqttSettings  # the controller's own connection


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Controller]:
    """A controller that serves until the block ends; the block is cancelled if a part of it fails."""
    async with asyncio.TaskGroup() as tasks, AsyncExitStack() as stack:

        def serve(part: Coroutine[None, None, None], name: str) -> None:
            stack.push_async_callback(_stop, tasks.create_task(part, name=name))

        # First what can be wrong in the configuration: then nothing has begun, and nobody's lesson ends with us.
        listener = stack.enter_context(_listen(config.http.listen))
        tls = _tls(config.http.tls)
        config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        await _lead(config, listener, tls, stack, serve)
        store = await stack.enter_async_context(open_store(config.database.url))
        http = await stack.enter_async_context(node_session(config.bridge))
        counted = await stack.enter_async_context(own_time())
        changes = Changes()
        broker, mqtt = await _broker(config, counted, serve)
        hub = DeviceHub(
            connection=mqtt,
            dialects=_dialects(config.mqtt),
            gateways=(PJLinkGateway(),),
            clock=utc_now,
            caught_up=counted.caught_up,
            changes=changes,
        )
        await restore_devices(store, hub)
        addresses = Addresses(store, hub, networks=config.gateways.networks, clock=utc_now)
        logins = MqttLogins(
            store,
            hub,
            broker,
            directory=config.data_dir / "broker",
            entrance=_entrance(config, port=mqtt.port),
            clock=utc_now,
        )
        await logins.begin()
        registry = CollectorRegistry()
        nodes = Nodes(config.bridge, data_dir=config.data_dir, http=http, own_time=counted)
        registry.register(NodeCollector(nodes.fleet))
        clock_watch = ClockWatch(store.clock, clock=utc_now)
        await clock_watch.begin()
        conductor = Conductor(
            store=store,
            hub=hub,
            nodes=nodes,
            changes=changes,
            grace=config.lessons.grace,
            clock=utc_now,
            clock_believed=clock_watch.believed,
        )
        clock_watch.on_believed(conductor.retime)
        planning = Planning(store, conductor, clock=utc_now)
        participation = Participation(store, conductor, clock=utc_now)
        views = Views.of(store=store, nodes=nodes, conductor=conductor, changes=changes, clock=utc_now)
        registry.register(QualityCollector(views.quality.all_shown))
        people = People.over(store, clock=utc_now, changed=lambda id: changes.publish(ChangeKind.ACCOUNT, id))
        refusals = Refusals(store, people.accounts, clock=utc_now)
        audience = Audience(
            people.accounts,
            store=store,
            conductor=conductor,
            nodes=nodes,
            changes=changes,
            guests=views.watching.guests,
            clock=utc_now,
        )
        save_soon = broker.save_soon if broker is not None else lambda: None
        serve(DeviceRecords(store, hub, changes, described=save_soon).run(), "device records")
        serve(hub.run(), "device hub")
        serve(logins.run(), "school logins")
        serve(nodes.run(), "bridge nodes")
        serve(conductor.run(), "conductor")
        serve(audience.run(), "audience")
        serve(views.quality.run(), "quality")
        serve(refusals.run(), "refusals")
        serve(clock_watch.run(), "clock")
        write_tests = {
            "database_writes": WriteTest("the database", clock_watch.write, failures=(RoomsError, SQLAlchemyError)),
            "files": WriteTest("data_dir", partial(_write_test, config.data_dir), failures=(OSError,)),
        }
        for name, test in write_tests.items():
            serve(test.run(), f"test of {name}")
        claims = Claims(store, hub, changes, clock=utc_now)
        organisations = Organisations(store, people.accounts, logins, changes, clock=utc_now)
        services = Services(
            store=store,
            people=people,
            organisations=organisations,
            setup=Setup(store, people.accounts, people.links, organisations),
            hub=hub,
            addresses=addresses,
            inventory=Inventory(hub),
            conductor=conductor,
            planning=planning,
            running=Running(store, conductor, clock=utc_now),
            participation=participation,
            views=views,
            audience=audience,
            scenes=Scenes(store, hub, changes, clock=utc_now, in_lesson=conductor.in_lesson),
            rooms=Rooms(store, changes, clock=utc_now),
            quality=views.quality,
            media_url=nodes.media_url,
            fleet=nodes.fleet,
            node_http=http,
            broker=logins,
            changes=changes,
            pairing=Pairing(
                store,
                codes=PairingCodes(clock=utc_now),
                displays=views.displays,
                conductor=conductor,
                nodes=nodes,
                changes=changes,
                clock=utc_now,
            ),
            claims=claims,
            refusals=refusals,
            clock=utc_now,
            own_time=counted,
            registry=registry,
            clock_watch=clock_watch,
            write_tests=write_tests,
            probes={"mqtt": lambda: hub.connected, "bridge": lambda: nodes.connected},
            secure=config.http.tls is not None or (config.http.public_url or "").startswith("https://"),
            trusted_proxies=config.http.trusted_proxies,
            origins=frozenset({config.http.public_url} if config.http.public_url else ()),
            names=known_names(config.http),
        )
        app = make_app(services)
        await stack.enter_async_context(_serving_operators(app, config.data_dir))
        url = await stack.enter_async_context(_serving(app, listener, tls, config.http))
        yield Controller(
            config=config,
            url=config.http.public_url or url,
            store=store,
            people=people,
            hub=hub,
            addresses=addresses,
            nodes=nodes,
            conductor=conductor,
            planning=planning,
            participation=participation,
            changes=changes,
            claims=claims,
            organisations=organisations,
            rooms=services.rooms,
            scenes=services.scenes,
            logins=logins,
            mqtt=mqtt,
        )


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def _broker(
    config: Config, counted: OwnTime, serve: Callable[[Coroutine[None, None, None], str], None]
) -> tuple[EmbeddedBroker | None, MqttSettings]:
    """Start the broker that is ours, and say how we reach it or the one that is not."""
    client_id = f"nhipcau-{secrets.token_hex(4)}"
    match config.mqtt.broker:
        case EmbeddedBrokerConfig() as embedded:
            prefix = config.mqtt.home_assistant_prefix
            broker = EmbeddedBroker(
                embedded,
                directory=config.data_dir / "broker",
                home_assistant_prefix=prefix,
                timeout=counted.timeout,
            )
            serve(broker.run(), "broker")
            login = await broker.ready()
            return broker, MqttSettings(
                host=login.address.host,
                port=login.address.port,
                username=login.username,
                password=login.password,
                client_id=client_id,
            )
        case ExternalBrokerConfig() as external:
            return None, MqttSettings(
                host=external.address.host,
                port=external.address.port,
                tls=external.tls,
                ca_file=external.ca_file,
                username=external.username or "",
                password=external.password.value if external.password else "",
                client_id=client_id,
            )


def _entrance(config: Config, *, port: int) -> Entrance:
    """`port`: where the broker listens in truth, also where any free one was asked for."""
    match config.mqtt.broker:
        case EmbeddedBrokerConfig() as embedded:
            listen, tls = Address(embedded.listen.host, port), False
        case ExternalBrokerConfig() as external:
            listen, tls = external.address, external.tls
    return Entrance(
        listen=listen,
        tls=tls,
        public_host=urlsplit(config.http.public_url or "").hostname or "",
        discovery_prefix=config.mqtt.home_assistant_prefix_of,
    )


def _dialects(config: MqttConfig) -> tuple[NativeDialect, HomeAssistantDialect]:
    return NativeDialect(), HomeAssistantDialect(prefix=config.home_assistant_prefix_of)


async def _lead(
    config: Config,
    listener: ReservingSocket,
    tls: ssl.SSLContext | None,
    stack: AsyncExitStack,
    serve: Callable[[Coroutine[None, None, None], str], None],
) -> None:
    """Return once we are the controller that works on the database, and go on seeing to it."""
    leading = await stack.enter_async_context(leadership(config.database.url))

    async with AsyncExitStack() as waiting:

        async def stand_by() -> None:
            await waiting.enter_async_context(_serving(standby_app(), listener.twin(), tls, config.http))

        await leading.acquire(stand_by)
    serve(leading.keep(), "leadership")


async def _write_test(data_dir: Path) -> None:
    await asyncio.to_thread(write_small, data_dir / "write-test", b"Written to see whether anything can be.\n")


def _tls(config: TlsConfig | None) -> ssl.SSLContext | None:
    """Raises `ListenFailed`."""
    if config is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(config.certificate, config.key)
    except OSError as error:  # ssl.SSLError, too
        files = f"{config.certificate} and {config.key}"
        raise ListenFailed(f"http.tls: {files} are no certificate and its key: {error.strerror}") from error
    return context


def _listen(address: Address) -> ReservingSocket:
    """A socket that listens there. Raises `ListenFailed`."""
    try:
        return ReservingSocket(listen(address.host, address.port))
    except OSError as error:
        raise ListenFailed(f"http.listen: {address} cannot be used: {error.strerror}") from error


@asynccontextmanager
async def _serving(
    app: web.Application, listener: socket.socket, tls: ssl.SSLContext | None, config: HttpConfig
) -> AsyncIterator[str]:
    """Serve `app`; gives its URL."""
    async with serving(app, listener, idle=idle_connections(config.trusted_proxies), tls=tls) as runner:
        host, port = runner.addresses[0][:2]
        logger.info("listening on %s", Address(host, port))
        yield f"{'https' if tls else 'http'}://{Address(host, port)}"


@asynccontextmanager
async def _serving_operators(app: web.Application, data_dir: Path) -> AsyncIterator[None]:
    """Serve those at a shell of this machine, beside `app`, where a socket for them can be made."""
    async with AsyncExitStack() as stack:
        try:
            listener = listen_for_operators(data_dir)
        except OSError as error:  # a full disk: no reason to serve nobody
            logger.warning("operators' commands do not reach us: no socket in %s: %s", data_dir, error.strerror)
        else:
            await stack.enter_async_context(serving(operator_app(app), listener, idle=IdleConnections()))
        yield
