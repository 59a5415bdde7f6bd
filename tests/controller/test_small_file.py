"""Small files as power cuts, full disks and people leave them."""

from pathlib import Path

import pytest

from controller.errors import FileDamaged
from controller.small_file import kept_secret, noted, read_small, write_small
from tests.filesystem import small_disk


@pytest.mark.parametrize(("content", "says"), [(b"", "empty"), (b" \n", "empty"), (b"a\xff\xfe", "not UTF-8")])
def test_damaged_file_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "port"
    file.write_bytes(content)
    with pytest.raises(FileDamaged, match=rf"port is damaged: it is {says}"):
        read_small(file)


def test_file_that_is_a_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileDamaged, match="cannot be read: Is a directory"):
        read_small(tmp_path)


def test_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_small(tmp_path / "port") is None


def test_what_is_written_replaces_the_whole_and_is_private(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    write_small(file, "a long one")
    write_small(file, "short", durable=True)
    assert (read_small(file), file.stat().st_mode & 0o777) == ("short", 0o600)
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]


def test_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        file = disk.path / "placements.json"
        write_small(file, "before")
        with disk.full():
            assert not noted(file, "after" * 1000)
            assert {each.name for each in disk.path.iterdir()} - {"filler"} == {"placements.json"}
        assert read_small(file) == "before"
        assert noted(file, "after")
        assert read_small(file) == "after"


@pytest.mark.parametrize("content", [b"", b"too short", b"\xff" * 40, b"x" * 20 + b"\n" + b"y" * 20])
def test_damaged_secret_is_made_anew_and_kept(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content)
    secret = kept_secret(file, at_least=32)
    assert len(secret) >= 32
    assert kept_secret(file, at_least=32) == secret
    assert [f"{file} is damaged" in message and secret not in message for message in caplog.messages] == [True]


def test_secret_that_cannot_be_kept_is_good_for_this_run(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk, disk.full():
        assert len(kept_secret(disk.path / "secret", at_least=32)) >= 32
