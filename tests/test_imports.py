"""Who may import whom. Reads the sources, so that an import that is never run counts too."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {"controller", "devices", "rooms", "webrtc"}
ALLOWED = {
    "controller": OURS,
    "devices": {"devices"},
    "rooms": {"rooms", "devices.device"},
    "webrtc": {"webrtc"},
}


def imports(path: Path) -> Iterator[str]:
    """Every dotted module name of ours that a file imports; `from a import b` counts as `a` and as `a.b`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def permitted(module: str, allowed: set[str]) -> bool:
    return any(module == each or module.startswith(each + ".") for each in allowed)


@pytest.mark.parametrize("package", sorted(OURS))
def test_package_imports_only_what_it_may(package: str) -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for module in imports(path)
        if module.split(".")[0] in OURS and not permitted(module, ALLOWED[package])
    ]
    assert broken == []


def test_the_rule_finds_a_forbidden_import() -> None:
    assert not permitted("devices.hub", ALLOWED["rooms"])
    assert not permitted("controller.app", ALLOWED["devices"])
    assert permitted("devices.device", ALLOWED["rooms"])


def test_simulated_things_are_imported_only_by_the_demo() -> None:
    """The program must not come to depend on what only the demo needs."""
    broken = [
        f"{path.relative_to(ROOT)}: {module}"
        for package in sorted(OURS)
        for path in sorted((ROOT / package).rglob("*.py"))
        for module in imports(path)
        if module.startswith("demo.simulated")
        and not path.is_relative_to(ROOT / "devices" / "simulated")
        and not path.is_relative_to(ROOT / "controller" / "demo")
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
