from pathlib import Path

import pytest

from controller.nodes.placement_file import Placement, PlacementFile


def test_next_controller_reads_what_the_last_one_wrote(tmp_path: Path) -> None:
    file = PlacementFile(tmp_path / "placements.json")
    file.put("one", Placement("local-0", "a"))
    file.put("one", Placement("local-1", "b"))
    file.put("two", Placement("local-0", "a"))
    file.remove("two")
    file.register("north", "http://192.0.2.1:7880")
    file.register("south", "http://192.0.2.2:7880")
    file.register("south", None)
    again = PlacementFile(tmp_path / "placements.json")
    assert (again.of("one"), again.of("two")) == (Placement("local-1", "b"), None)
    assert (again.on("local-1"), again.on("local-0")) == (["one"], [])
    assert again.registered == {"north": "http://192.0.2.1:7880"}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"bridges": {"one": 1}, "registered": {}}', '{"bridges": []}'])
def test_file_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "placements.json"
    path.write_text(text)
    file = PlacementFile(path)
    assert (file.of("one"), file.registered) == (None, {})
    file.put("one", Placement("local-0", "a"))
    assert PlacementFile(path).of("one") == Placement("local-0", "a")


def test_what_was_never_closed_is_forgotten_at_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.nodes.placement_file.MAX_ENTRIES", 2)
    file = PlacementFile(tmp_path / "placements.json")
    for bridge in ("one", "two", "three"):
        file.put(bridge, Placement("local-0", "a"))
    assert file.on("local-0") == ["two", "three"]
