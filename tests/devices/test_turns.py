from devices.turns import Turns


def waiting(**things: str) -> Turns[str, str]:
    turns: Turns[str, str] = Turns()
    for owner, names in things.items():
        for name in names:
            turns.add(owner, name)
    return turns


def test_owners_take_turns_whoever_has_more() -> None:
    turns = waiting(loud="abcde", quiet="z", other="xy")
    assert [turns.take(1) for _ in range(9)] == [["a"], ["z"], ["x"], ["b"], ["y"], ["c"], ["d"], ["e"], []]


def test_several_owners_have_a_like_part_of_what_is_taken_at_once() -> None:
    turns = waiting(loud="abcdef", quiet="z", other="xy")
    assert [turns.take(4, owners=2) for _ in range(4)] == [["a", "b", "z"], ["x", "y", "c", "d"], ["e", "f"], []]
    assert not turns


def test_a_thing_waits_once_and_can_be_taken_out() -> None:
    turns = waiting(a="xy")
    assert not turns.add("a", "x")
    assert turns.add("b", "x")
    assert (turns.discard("a", "x"), turns.discard("a", "x"), turns.discard("c", "x")) == (True, False, False)
    assert [turns.take(1) for _ in range(3)] == [["y"], ["x"], []]
