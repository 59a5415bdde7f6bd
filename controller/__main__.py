"""The command line: `nhipcau run`, and what an operator needs beside it."""

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

from controller.app import running, utc_now
from controller.certificate import make_certificate
from controller.config.errors import ConfigError
from controller.config.file import read_config
from controller.config.model import Address, Config, default_config
from controller.errors import ControllerError
from controller.operator import setup_link
from controller.operator.account_commands import (
    create_token,
    list_accounts,
    list_tokens,
    reset_password,
    revoke_token,
    set_operator,
    set_role,
    suspend,
)
from controller.operator.audit_commands import audit_lines, read_moment
from controller.operator.commands import operation, table
from controller.people.people import People
from controller.people.tokens import DEFAULT_LIFE
from controller.processes.descriptors import raise_limit
from demo.demo import run_demo
from devices.errors import DevicesError
from rooms.errors import RoomsError
from rooms.people.account import Role, RoleAt, TokenId
from rooms.school import OrganisationId
from store import open_store

USAGE_ERROR = 2
FAILURE = 1
REFUSED_LINK = (
    "there is an administrator already: `nhipcau account password NAME` lets one in who forgot the password,"
    " and --force makes one more"
)

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # argparse has no public name for it


def main() -> None:
    """Run one subcommand; exit code 2 for a wrong call or configuration, 1 for what went wrong later."""
    parser = _parser()
    arguments, rest = parser.parse_known_args()
    if rest and arguments.run is not _bridge:
        parser.error(f"unknown arguments: {' '.join(rest)}")
    arguments.rest = rest
    try:
        code = arguments.run(arguments)
    except* (ControllerError, RoomsError, DevicesError) as errors:
        for error in _leaves(errors):
            print(error if isinstance(error, ConfigError) else f"nhipcau: {error}", file=sys.stderr)
        code = USAGE_ERROR if any(isinstance(error, ValueError) for error in _leaves(errors)) else FAILURE
    except* KeyboardInterrupt:
        code = 128 + signal.SIGINT
    sys.exit(code)


def _leaves(errors: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in errors.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nhipcau", description="Smart classrooms, and lessons that join them.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run the controller")
    run.set_defaults(run=_run)
    check = commands.add_parser("check-config", help="say what is wrong with a configuration, exit code 2 if anything")
    check.set_defaults(run=_check_config)
    of_database = [*_add_token_commands(commands), *_add_account_commands(commands)]
    setup = commands.add_parser("setup-link", help="print a new link for the first administrator")
    setup.add_argument("--force", action="store_true", help="although somebody can log in as administrator")
    setup.set_defaults(run=_setup_link)
    audit = commands.add_parser("audit", help="print what was done and what was refused, from the database")
    audit.add_argument("--since", type=read_moment, help="a day or a moment: 2026-11-29, 2026-11-29T07:00")
    audit.add_argument("--until", type=read_moment, help="the same; not the moment itself")
    audit.add_argument("--actor", help="an account's name or id, or who else is named in the list")
    audit.add_argument("--action", help="how it begins: `refused.`, `login.`, `lesson.start`")
    audit.add_argument("--limit", type=int, default=100, help="how many of the newest; default: 100")
    audit.set_defaults(run=_audit)
    nodes = commands.add_parser("nodes", help="list the bridge nodes: state, load, lessons")
    nodes.set_defaults(run=_nodes)
    drain = commands.add_parser("drain", help="have a bridge node give its lessons away and take no more")
    drain.add_argument("--wait", action="store_true", help="return once it has no lesson")
    drain.set_defaults(run=_drain)
    undrain = commands.add_parser("undrain", help="take a drained bridge node back into use")
    undrain.set_defaults(run=_undrain)
    for each in (drain, undrain):
        each.add_argument("node", metavar="NODE", help="its name, as `nhipcau nodes` has it")
    accept = _add_clock(commands)
    for each in (run, check, setup, audit, nodes, drain, undrain, accept, *of_database):
        each.add_argument("--config", type=Path, default=Path("config.yaml"), help="default: ./config.yaml")

    certificate = commands.add_parser("certificate", help="make a local authority and a certificate for this server")
    certificate.add_argument("--dir", type=Path, required=True, help="where the files are, or will be")
    certificate.add_argument("--name", action="append", required=True, help="a host name or address of this server")
    certificate.set_defaults(run=_certificate)

    demo = commands.add_parser("demo", help="two simulated schools on this machine")
    demo.add_argument("--data-dir", type=Path, default=Path("var/demo"))
    demo.add_argument("--port", type=int, default=8080, help="another one is taken where this is in use")
    demo.set_defaults(run=_demo)

    bridge = commands.add_parser("bridge", help="run a bridge node on its own; `nhipcau bridge --help`", add_help=False)
    bridge.set_defaults(run=_bridge)
    return parser


def _add_token_commands(commands: Commands) -> list[argparse.ArgumentParser]:
    actions = commands.add_parser("token", help="tokens for programs that use the HTTP API").add_subparsers(
        required=True, metavar="ACTION"
    )
    create = actions.add_parser("create", help="print a new token, once")
    create.add_argument("account", help="the name of the account whose rights the token has")
    create.add_argument("--label", default="command line", help="what it is for")
    create.add_argument(
        "--days", type=int, default=DEFAULT_LIFE.days, help=f"how long it is good: {DEFAULT_LIFE.days} if not said"
    )
    create.set_defaults(run=_create_token)
    listing = actions.add_parser("list", help="list the tokens that are good")
    listing.add_argument("account", nargs="?", help="of this account only")
    listing.set_defaults(run=_list_tokens)
    revoke = actions.add_parser("revoke", help="end a token at once")
    revoke.add_argument("token", help="its id, as `nhipcau token list` has it")
    revoke.set_defaults(run=_revoke_token)
    return [create, listing, revoke]


def _add_account_commands(commands: Commands) -> list[argparse.ArgumentParser]:
    actions = commands.add_parser("account", help="people: passwords, roles, who is let in").add_subparsers(
        required=True, metavar="ACTION"
    )
    listing = actions.add_parser("list", help="list all accounts")
    listing.set_defaults(run=_list_accounts)
    password = actions.add_parser("password", help="print a new password, once; its owner must choose another")
    password.set_defaults(run=_reset_password)
    disable = actions.add_parser("disable", help="let nobody in by it, from now on; its logins and pictures end")
    disable.set_defaults(run=_suspend, suspended=True)
    enable = actions.add_parser("enable", help="let the person in again")
    enable.set_defaults(run=_suspend, suspended=False)
    operator = actions.add_parser("operator", help="have it operate what all share: nodes, organisations at the top")
    operator.add_argument("--off", action="store_true", help="no longer")
    operator.set_defaults(run=_set_operator)
    grant = actions.add_parser("grant", help="give a role")
    grant.set_defaults(run=_set_role, held=True)
    take = actions.add_parser("take", help="take a role")
    take.set_defaults(run=_set_role, held=False)
    named = [password, disable, enable, operator, grant, take]
    for each in named:
        each.add_argument("account", help="the account's name")
    for each in (grant, take):
        each.add_argument("role", type=Role, choices=list(Role), metavar="ROLE", help=", ".join(Role))
        each.add_argument("organisation", help="the id of the school or department")
    return [listing, *named]


def _add_clock(commands: Commands) -> argparse.ArgumentParser:
    clock = commands.add_parser("clock", help="the machine's clock, where the controller does not believe it")
    actions = clock.add_subparsers(required=True, metavar="ACTION")
    accept = actions.add_parser("accept", help="say that the clock is right: lessons are moved by time again")
    accept.set_defaults(run=_accept_clock)
    return accept


def _accept_clock(arguments: argparse.Namespace) -> int:
    print(asyncio.run(_clock_accepted(_config(arguments.config))))
    return 0


async def _clock_accepted(config: Config) -> str:
    async with operation(config.data_dir) as controller:
        answer = await controller.accept_clock()
    word = "believed from now on" if answer.was_held else "it was believed already"
    return f"{answer.now:%Y-%m-%d %H:%M:%S} UTC: {word}"


def _config(path: Path) -> Config:
    """The configuration in `path`; the defaults where there is no `./config.yaml`. Raises `ConfigError`."""
    if path == Path("config.yaml") and not path.exists():
        return default_config(Path("var"))
    return read_config(path)


def _log_at(level: int) -> None:
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _run(arguments: argparse.Namespace) -> int:
    config = _config(arguments.config)
    _log_at(config.logging.level)
    raise_limit()
    asyncio.run(_serve(config))
    return 0


async def _serve(config: Config) -> None:
    """Until a signal, which may come while we stand by."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    serving = asyncio.create_task(_hold(config), name="controller")
    stopping = asyncio.create_task(stop.wait(), name="until stopped")
    await asyncio.wait([serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


async def _hold(config: Config) -> None:
    async with running(config) as controller:
        gc.freeze()  # code, and what was restored, stays: looking through it would hold the loop for 70 ms and more
        print(f"Nhịp Cầu: {controller.url}", flush=True)
        secret = await controller.people.links.setup_secret()
        if secret is None:
            setup_link.withdraw(config.data_dir)
        else:
            print(setup_link.announce(config.data_dir, controller.url, secret), flush=True)
        await asyncio.Event().wait()


def _check_config(arguments: argparse.Namespace) -> int:
    read_config(arguments.config)
    print(f"{arguments.config}: nothing to complain about")
    return 0


def _create_token(arguments: argparse.Namespace) -> int:
    life = timedelta(days=arguments.days)
    config = _config(arguments.config)
    print(asyncio.run(create_token(config, arguments.account, label=arguments.label, life=life)))
    return 0


def _list_tokens(arguments: argparse.Namespace) -> int:
    print(asyncio.run(list_tokens(_config(arguments.config), arguments.account)))
    return 0


def _revoke_token(arguments: argparse.Namespace) -> int:
    asyncio.run(revoke_token(_config(arguments.config), TokenId(arguments.token)))
    return 0


def _list_accounts(arguments: argparse.Namespace) -> int:
    print(asyncio.run(list_accounts(_config(arguments.config))))
    return 0


def _reset_password(arguments: argparse.Namespace) -> int:
    print(asyncio.run(reset_password(_config(arguments.config), arguments.account)))
    return 0


def _suspend(arguments: argparse.Namespace) -> int:
    asyncio.run(suspend(_config(arguments.config), arguments.account, suspended=arguments.suspended))
    return 0


def _set_operator(arguments: argparse.Namespace) -> int:
    asyncio.run(set_operator(_config(arguments.config), arguments.account, on=not arguments.off))
    return 0


def _set_role(arguments: argparse.Namespace) -> int:
    role = RoleAt(arguments.role, OrganisationId(arguments.organisation))
    asyncio.run(set_role(_config(arguments.config), arguments.account, role, held=arguments.held))
    return 0


def _setup_link(arguments: argparse.Namespace) -> int:
    config = _config(arguments.config)
    secret = asyncio.run(_new_setup_secret(config, forced=arguments.force))
    print(setup_link.link(config.http.public_url or "", secret) if secret else REFUSED_LINK)
    return 0 if secret else FAILURE


async def _new_setup_secret(config: Config, *, forced: bool) -> str | None:
    async with open_store(config.database.url) as store:
        return await People.over(store, clock=utc_now).links.setup_secret(forced=forced)


def _audit(arguments: argparse.Namespace) -> int:
    for line in asyncio.run(_audit_lines(_config(arguments.config), arguments)):
        print(line)
    return 0


async def _audit_lines(config: Config, arguments: argparse.Namespace) -> list[str]:
    async with open_store(config.database.url) as store:
        return await audit_lines(
            store,
            People.over(store, clock=utc_now),
            actor=arguments.actor,
            action=arguments.action,
            start=arguments.since,
            end=arguments.until,
            limit=max(1, arguments.limit),
        )


def _nodes(arguments: argparse.Namespace) -> int:
    print(asyncio.run(_list_nodes(_config(arguments.config))))
    return 0


async def _list_nodes(config: Config) -> str:
    async with operation(config.data_dir) as controller:
        return table(await controller.nodes())


def _drain(arguments: argparse.Namespace) -> int:
    asyncio.run(_set_duty(_config(arguments.config), arguments.node, draining=True, wait=arguments.wait))
    return 0


def _undrain(arguments: argparse.Namespace) -> int:
    asyncio.run(_set_duty(_config(arguments.config), arguments.node, draining=False, wait=False))
    return 0


async def _set_duty(config: Config, node: str, *, draining: bool, wait: bool) -> None:
    async with operation(config.data_dir) as controller:
        await controller.drain(node, draining)
        if wait:
            await controller.emptied(node, say=lambda left: print(left, file=sys.stderr, flush=True))


def _certificate(arguments: argparse.Namespace) -> int:
    files = make_certificate(arguments.dir, names=arguments.name, now=utc_now())
    print(f"authority, to be trusted by the room PCs' browsers: {files.authority}")
    print(f"  its SHA-256 fingerprint: {files.fingerprint}")
    print(f"http.tls.certificate: {files.certificate}")
    print(f"http.tls.key: {files.key}")
    print(f"good until {files.expires:%Y-%m-%d}{'' if files.issued else '; left as it was'}")
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    _log_at(logging.WARNING)
    asyncio.run(run_demo(arguments.data_dir.resolve(), Address("127.0.0.1", arguments.port)))
    return 0


def _bridge(arguments: argparse.Namespace) -> int:
    """Become the node: the controller itself must start fast, so it does not import the media plane."""
    os.execv(sys.executable, [sys.executable, "-m", "webrtc.node", *arguments.rest])


if __name__ == "__main__":
    main()
