import pytest

from devices.mqtt.filters import FilterTree


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("a/b/c", ["a/+/c", "a/b/c"]),
        ("a/x/c", ["a/+/c"]),
        ("a//c", ["a/+/c"]),
        ("a/b", []),
        ("a/b/c/d", ["+/b/+/d"]),
        ("", []),
    ],
)
def test_a_topic_matches_its_filters(topic: str, expected: list[str]) -> None:
    tree = FilterTree[str]()
    for filter in ("a/+/c", "a/b/c", "+/b/+/d"):
        tree.add(filter, filter)
    assert sorted(tree.match(topic)) == expected
