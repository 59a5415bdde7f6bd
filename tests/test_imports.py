"""Who may import whom: between packages, and in which order inside each. Reads the sources, so that an import that is
never run counts too."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ALLOWED: Mapping[str, set[str]] = {
    "rooms": {"rooms", "devices.device"},
    "devices": {"devices"},
    "webrtc": {"webrtc"},
    "store": {"store", "rooms", "devices.device"},
    "controller": {"controller", "store", "rooms", "devices", "webrtc.shared", "webrtc.errors"},
    "demo": {"demo", "controller", "store", "rooms", "devices", "webrtc"},
    "testing": {"testing", "demo", "controller", "store", "rooms", "devices", "webrtc"},
    "bench": {"bench", "testing", "demo", "controller", "store", "rooms", "devices", "webrtc"},
}
"""What each package may import of ours. The command line alone starts the demo: `EXCEPTIONS`."""
EXCEPTIONS = {("controller/__main__.py", "demo")}

ORDER: Mapping[str, str] = {
    "rooms": """
        errors checks folding page school organisation_tree audit room floor invitation scene lesson lesson_moves
        lesson_changes people suggestion
    """,
    "devices": """
        errors scale device availability turns mqtt driver changes commands shares dialects overload problems readers
        registry carrier broker_carrier gateways sender intake hub
    """,
    "webrtc": "errors shared rtp sdp transport estimation forwarding selection bridge node",
    "store": """
        columns engine database tables people_tables paging stored_device migrate migrations leadership
        organisations rooms displays devices scenes audit device_addresses lesson_rows lessons people mqtt_passwords
        quality clock store
    """,
    "controller": """
        errors ids network schema changes audit_lines small_file certificate config processes clock broker nodes people
        equipment lessons displays quality views operator web app __main__
    """,
    "demo": "simulated whip_client cast picture companion classroom schools demo",
}
"""The parts of each package, files and folders, the lowest first: each may import only those before it."""


def modules() -> Iterator[tuple[str, Path]]:
    """Each module of ours, by its dotted name."""
    for package in ALLOWED:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name.removesuffix(".__init__"), path


SOURCES = dict(modules())


def imports(path: Path) -> Iterator[str]:
    """Every dotted name that a file imports; `from a import b` counts as `a.b`, and as `a` where that is no module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                named = f"{node.module}.{alias.name}"
                yield named if named in SOURCES else node.module or ""


GRAPH = {
    name: {each for each in imports(path) if each.split(".")[0] in ALLOWED and each != name}
    for name, path in SOURCES.items()
}
"""Module -> the modules of ours that it imports."""


def permitted(module: str, allowed: set[str]) -> bool:
    return any(module == each or module.startswith(each + ".") for each in allowed)


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_package_imports_only_what_it_may(package: str) -> None:
    broken = [
        f"{name}: {each}"
        for name, found in GRAPH.items()
        if name.split(".")[0] == package
        for each in sorted(found)
        if not permitted(each, ALLOWED[package])
        and (str(SOURCES[name].relative_to(ROOT)), each.split(".")[0]) not in EXCEPTIONS
    ]
    assert broken == []


def test_the_rule_finds_a_forbidden_import() -> None:
    assert not permitted("devices.hub", ALLOWED["rooms"])
    assert not permitted("controller.app", ALLOWED["devices"])
    assert not permitted("webrtc.bridge.bridge", ALLOWED["controller"])
    assert permitted("devices.device", ALLOWED["rooms"])


@pytest.mark.parametrize("package", sorted(ORDER))
def test_every_part_of_a_package_has_its_place_in_the_order(package: str) -> None:
    parts = {path.stem if path.is_file() else path.name for path in (ROOT / package).iterdir()}
    there = {each for each in parts if f"{package}.{each}" in SOURCES or (ROOT / package / each).is_dir()}
    assert there - {"__pycache__", "__init__"} == set(ORDER[package].split())


@pytest.mark.parametrize("package", sorted(ORDER))
def test_inside_a_package_imports_go_one_way(package: str) -> None:
    place = {part: number for number, part in enumerate(ORDER[package].split())}
    broken = [
        f"{name}: {each}"
        for name, found in GRAPH.items()
        for each in sorted(found)
        if name.startswith(package + ".")
        and each.startswith(package + ".")
        and place[each.split(".")[1]] > place[name.split(".")[1]]
    ]
    assert broken == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way[way.index(name) :], name))
        if name not in done:
            for each in sorted(GRAPH.get(name, ())):
                visit(each, (*way, name))
            done.add(name)

    for name in GRAPH:
        visit(name, ())


def test_only_the_app_imports_the_edge() -> None:
    """What happens stands in services; HTTP is one way to ask for it."""
    broken = [
        f"{name}: {each}"
        for name, found in GRAPH.items()
        for each in sorted(found)
        if permitted(each, {"controller.web"}) and not permitted(name, {"controller.web", "controller.app", "testing"})
    ]
    assert broken == []


def test_benchmarks_and_what_they_share_with_tests_import_no_test() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {module}"
        for package in ("bench", "testing")
        for path in sorted((ROOT / package).rglob("*.py"))
        for module in imports(path)
        if module.split(".")[0] == "tests"
    ]
    assert broken == []
