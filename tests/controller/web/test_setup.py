"""The first start: an empty database, one link, one administrator."""

from pathlib import Path

from tests.controller.web.house import PASSWORD, open_house


async def test_first_administrator_is_logged_in_and_the_link_is_used_up(tmp_path: Path) -> None:
    async with open_house(tmp_path, empty=True) as house:
        secret = await house.people.links.setup_secret()
        visitor = await house.visitor()
        found = (200, {"valid": True, "organisations": []})
        assert await visitor.ask("POST", "/setup/check", {"token": secret}) == found
        body = {
            "token": secret,
            "name": "hieu.truong",
            "display_name": "Hiệu trưởng",
            "password": PASSWORD,
            "organisation": {"name": "Trường Tiểu học Lê Lợi", "province": "Nghệ An"},
        }
        status, me = await visitor.ask("POST", "/setup", body)
        assert (status, me["roles"]) == (
            201,
            [{"role": "administrator", "organisation": {"id": "le-loi", "name": "Trường Tiểu học Lê Lợi"}}],
        )
        assert (await visitor.ask("GET", "/me"))[1] == me
        assert me["operator"] is True
        assert house.hub.namespaces == {"le-loi"}
        assert (await visitor.ask("POST", "/setup", body))[0] == 404
        assert (await visitor.ask("POST", "/setup/check", {"token": secret}))[0] == 404
        assert await house.people.links.setup_secret() is None
