"""Rights and passwords of the embedded broker, by table."""

import subprocess
from pathlib import Path

import pytest

from controller.broker.access import Access, covers, hash_password, verify_password

ACCESS = Access.of(
    {"a1": hash_password("pa"), "b2": hash_password("pb")},
    controller_hash=hash_password("pc"),
    probe_hash=hash_password("pp"),
    home_assistant_prefix="ha/{school}",
)


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("#", "a/b", True),
        ("#", "#", True),
        ("#", "$SYS/a", False),
        ("+/#", "$SYS/a", False),
        ("$SYS/#", "$SYS/a", True),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/#", "a/+/#", True),
        ("a/#", "ab", False),
        ("a/#", "+/b", False),
        ("a/#", "#", False),
        ("a/+", "a/b", True),
        ("a/+", "a/+", True),
        ("a/+", "a/#", False),
        ("a/+", "a", False),
        ("a/+", "a/b/c", False),
        ("a/b", "a/+", False),
        ("a", "a/#", False),
        ("a/b", "a/b", True),
    ],
)
def test_filter_covers_what_is_inside_it(wide: str, narrow: str, expected: bool) -> None:
    assert covers(wide, narrow) is expected


def test_files_give_back_the_same_access() -> None:
    assert Access.parse(ACCESS.passwords, ACCESS.acl) == ACCESS
    assert list(ACCESS.schools) == ["a1", "b2"]


def test_each_user_has_its_topics() -> None:
    assert {name: user.filters for name, user in ACCESS.users.items()} == {
        "controller": ("#",),
        "probe": (),
        "school-a1": ("sc/1/a1/#", "ha/a1/#"),
        "school-b2": ("sc/1/b2/#", "ha/b2/#"),
    }


@pytest.mark.parametrize(
    ("schools", "prefix", "filters"),
    [
        (["a1"], "homeassistant", ("sc/1/a1/#", "homeassistant/#")),
        (["a1", "b2"], "homeassistant", ("sc/1/a1/#",)),
        (["a1"], "sc/1/{school}/ha", ("sc/1/a1/#",)),
    ],
)
def test_shared_discovery_prefix_is_for_a_single_school(
    schools: list[str], prefix: str, filters: tuple[str, ...]
) -> None:
    hashed = hash_password("p")
    access = Access.of(
        dict.fromkeys(schools, hashed), controller_hash=hashed, probe_hash=hashed, home_assistant_prefix=prefix
    )
    assert access.users["school-a1"].filters == filters


@pytest.mark.parametrize(("passwords", "acl"), [("no colon\n", ""), ("", "pattern read #\n")])
def test_other_files_are_refused(passwords: str, acl: str) -> None:
    with pytest.raises(ValueError, match="line"):
        Access.parse(passwords, acl)


def test_password_is_verified() -> None:
    hashed = hash_password("mật khẩu")
    assert verify_password("mật khẩu", hashed)
    assert not verify_password("mat khau", hashed)
    assert hashed != hash_password("mật khẩu")


@pytest.mark.parametrize("hashed", ["", "plain", "$6$101$YQ==$YQ==", "$7$x$YQ==$YQ==", "$7$101$!$!", "$7$0$YQ==$YQ=="])
def test_broken_hash_lets_nobody_in(hashed: str) -> None:
    assert not verify_password("", hashed)


def test_hash_of_mosquitto_passwd_is_understood(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", file, "a", "secret"], check=True, capture_output=True)
    assert verify_password("secret", file.read_text().strip().removeprefix("a:"))


def test_repr_shows_no_hash() -> None:
    assert "$7$" not in repr(ACCESS)
