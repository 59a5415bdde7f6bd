"""How the first administrator's link reaches the person who installs."""

import os
import stat
from pathlib import Path

import pytest

from controller.operator import setup_link


def test_what_is_no_terminal_gets_the_name_of_a_file_that_others_cannot_read(tmp_path: Path) -> None:
    (tmp_path / setup_link.NAME).write_text("old")
    (tmp_path / setup_link.NAME).chmod(0o644)
    line = setup_link.announce(tmp_path, "https://a.example", "the-secret")
    file = tmp_path / setup_link.NAME
    assert str(file) in line
    assert "the-secret" not in line
    assert file.read_text() == "https://a.example/setup#token=the-secret\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    setup_link.withdraw(tmp_path)
    setup_link.withdraw(tmp_path)
    assert not file.exists()


def test_a_terminal_gets_the_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.openpty()
    with open(theirs, "w") as terminal, open(ours):
        monkeypatch.setattr("sys.stdout", terminal)
        line = setup_link.announce(tmp_path, "https://a.example", "the-secret")
    assert line == "First administrator (once): https://a.example/setup#token=the-secret"
    assert list(tmp_path.iterdir()) == []
