"""`nhipcau account` and `nhipcau token`: real commands beside a real controller process, which acts at once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from controller.config.file import read_config
from controller.config.model import Config, sqlite_url
from controller.operator.account_commands import (
    create_token,
    list_accounts,
    revoke_token,
    set_operator,
    set_role,
    suspend,
)
from controller.people.people import People
from rooms.errors import OrganisationNotFound
from rooms.people.account import Role, RoleAt, TokenId
from rooms.people.errors import AccountNotFound, InvalidAccount, OnlyRole, TokenNotFound
from rooms.people.rights import OWNER
from rooms.school import Organisation, OrganisationId, OrganisationKind
from store import open_store
from testing.clock import AheadClock
from tests.controller.test_main import CONFIG, WITHIN_S, controller, said

SCHOOL = OrganisationId("le-loi")
PASSWORD = "quả táo màu xanh lá"


@pytest.fixture
async def directory(tmp_path: Path) -> Path:
    """Of a configuration, with a database in which one person administers a school."""
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "data").mkdir()
    async with open_store(sqlite_url(tmp_path / "data" / "nhipcau.sqlite")) as store:
        await store.organisations.add(Organisation(id=SCHOOL, kind=OrganisationKind.SCHOOL, name="Lê Lợi"))
        await People.over(store, clock=AheadClock()).accounts.add(
            name="lan",
            display_name="Cô Lan",
            password=PASSWORD,
            roles=[RoleAt(Role.ADMINISTRATOR, SCHOOL)],
            rights=OWNER,
            actor="test",
        )
    return tmp_path


async def done(directory: Path, *arguments: str) -> str:
    """What a command that succeeds prints."""
    code, output, errors = await said(directory, *arguments)
    assert (code, errors) == (0, "")
    return output


async def row(config: Config) -> list[str]:
    (_, line) = (await list_accounts(config)).splitlines()
    return line.split()


@asynccontextmanager
async def logged_in(url: str, password: str = PASSWORD) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(f"{url}/", cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.post("/api/v1/login", json={"name": "lan", "password": password}) as answer:
            assert answer.status == 200
        yield http


async def test_accounts_are_changed_while_no_controller_runs(directory: Path) -> None:
    config = read_config(directory / "config.yaml")
    teacher = RoleAt(Role.TEACHER, SCHOOL)
    assert await row(config) == ["lan", "Cô", "Lan", "administrator@le-loi"]
    await set_operator(config, "lan", on=True)
    await set_role(config, "lan", teacher, held=True)
    await suspend(config, "lan", suspended=True)
    assert (await row(config))[3:] == ["administrator@le-loi,", "teacher@le-loi", "suspended,", "operator"]
    assert (await done(directory, "setup-link")).startswith("/setup#token=")  # nobody can log in as administrator
    await suspend(config, "lan", suspended=False)
    await set_operator(config, "lan", on=False)
    await set_role(config, "lan", teacher, held=False)
    assert await row(config) == ["lan", "Cô", "Lan", "administrator@le-loi"]


async def test_what_cannot_be_is_refused(directory: Path) -> None:
    config = read_config(directory / "config.yaml")
    with pytest.raises(AccountNotFound):
        await suspend(config, "nobody", suspended=True)
    with pytest.raises(OnlyRole):
        await set_role(config, "lan", RoleAt(Role.ADMINISTRATOR, SCHOOL), held=False)
    with pytest.raises(OrganisationNotFound):
        await set_role(config, "lan", RoleAt(Role.TEACHER, OrganisationId("nowhere")), held=True)
    for days in (0, 731):
        with pytest.raises(InvalidAccount, match="1 to 730 days"):
            await create_token(config, "lan", label="test", life=timedelta(days=days))
    with pytest.raises(TokenNotFound):
        await revoke_token(config, TokenId("t1"))
    code, _, errors = await said(directory, "account", "grant", "lan", "janitor", "le-loi")
    assert code == 2
    assert "invalid" in errors


async def test_setup_link_is_made_again_only_where_it_is_asked_for(directory: Path) -> None:
    code, output, _ = await said(directory, "setup-link")
    assert code == 1
    assert "nhipcau account password" in output
    assert (await done(directory, "setup-link", "--force")).startswith("/setup#token=")


async def test_running_controller_acts_at_once_on_what_is_typed(directory: Path) -> None:
    async with controller(directory) as url, asyncio.timeout(WITHIN_S):
        async with logged_in(url) as browser, browser.ws_connect("/api/v1/events") as page:
            assert json.loads((await page.receive()).data)["type"] == "hello"
            password = (await done(directory, "account", "password", "lan")).strip()
            assert (await page.receive()).type is aiohttp.WSMsgType.CLOSE
            assert page.close_code == 4401
        async with logged_in(url, password) as browser, browser.get("/api/v1/me") as answer:
            assert (await answer.json())["own_password_needed"] is True

        token = (await done(directory, "token", "create", "lan", "--label", "timetable")).strip()
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(f"{url}/", headers=headers) as http:
            async with http.ws_connect("/api/v1/events") as program:
                assert json.loads((await program.receive()).data)["type"] == "hello"
                (_, line) = (await done(directory, "token", "list")).splitlines()
                id, account, label, *_ = line.split()
                assert (account, label) == ("lan", "timetable")
                await done(directory, "token", "revoke", id)
                assert (await program.receive()).type is aiohttp.WSMsgType.CLOSE
            async with http.get("/api/v1/me") as answer:
                assert answer.status == 401
