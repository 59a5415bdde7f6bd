import pytest

from controller.nodes.placement import Candidate, LessonLoad, Move, least_loaded, relieving_move


@pytest.mark.parametrize(
    ("candidates", "best"),
    [
        ([], None),
        ([Candidate(name="a", cpu=0.3), Candidate(name="b", cpu=0.2)], "b"),
        ([Candidate(name="b"), Candidate(name="a")], "a"),  # all alike: by name
        ([Candidate(name="a", bridges=1), Candidate(name="b")], "b"),  # rooms may still be joining
        ([Candidate(name="a", cpu=0.02, expected=1), Candidate(name="b", cpu=0.04)], "b"),
        ([Candidate(name="a", cpu=0.02, expected=0.1), Candidate(name="b", cpu=0.04)], "a"),
        ([Candidate(name="a", cpu=0.1, draining=True), Candidate(name="b", cpu=0.9)], "b"),
        ([Candidate(name="a", draining=True)], "a"),  # there is no other
        ([Candidate(name="a", recovering=True), Candidate(name="b", cpu=0.85)], "b"),
        ([Candidate(name="a", cpu=0.79, expected=1), Candidate(name="b", cpu=0.5, bridges=40)], "b"),
        ([Candidate(name="a", connections=80, capacity=80), Candidate(name="b", cpu=0.7)], "b"),
        ([Candidate(name="a", connections=79, capacity=80), Candidate(name="b", cpu=0.7)], "b"),
        ([Candidate(name="a", connections=76, capacity=80), Candidate(name="b", cpu=0.7)], "a"),
        ([Candidate(name="a", connections=77, capacity=80)], "a"),  # there is no other
        ([Candidate(name="a", lag_s=0.06), Candidate(name="b", cpu=0.7)], "b"),
    ],
)
def test_lesson_goes_to_the_node_with_most_room(candidates: list[Candidate], best: str | None) -> None:
    chosen = least_loaded(candidates, 4)
    assert (chosen.name if chosen else None) == best


def busy(cpu: float = 0.9, *, lag_s: float = 0.0, for_s: float = 10.0) -> Candidate:
    return Candidate(name="busy", cpu=cpu, lag_s=lag_s, strained_s=for_s)


def held(*shares: float, node: str = "busy") -> list[LessonLoad]:
    """Lessons named by what they need, in hundredths of a core."""
    return [LessonLoad(bridge=f"{share:.2f}", node=node, cpu=share, connections=4) for share in shares]


ROOM = Candidate(name="room", cpu=0.2)


@pytest.mark.parametrize(
    ("nodes", "lessons", "move"),
    [
        ([], [], None),
        ([busy(), ROOM], held(0.1, 0.2, 0.3, 0.3), ("0.20", "room")),  # the smallest with which it is below 0.75
        ([busy(), ROOM], held(0.05, 0.08, 0.12), ("0.12", "room")),  # none is enough: the largest
        ([busy(), Candidate(name="room", cpu=0.5)], held(0.05, 0.08, 0.12), ("0.08", "room")),  # ... that fits
        ([busy(0.84), ROOM], held(0.2), None),  # not strained
        ([busy(for_s=9.9), ROOM], held(0.2), None),  # not for long
        ([busy()], held(0.2), None),  # nowhere to go
        ([busy(), Candidate(name="room", cpu=0.4)], held(0.2), None),  # it would have too much to do then
        ([busy(), Candidate(name="room", cpu=0.38, expected=1)], held(0.2), None),  # ... with what comes
        ([busy(), ROOM], held(0.9), None),  # its only lesson: it would be there what it was here
        ([busy(), ROOM], held(0.005), None),  # not worth it
        ([busy(), ROOM], held(0.2, node="room"), None),  # it is not its lessons
        ([busy(), Candidate(name="room", draining=True)], held(0.2), None),
        ([busy(), Candidate(name="room", recovering=True)], held(0.2), None),
        ([busy(), Candidate(name="room", lag_s=0.03)], held(0.2), None),
        ([busy(), Candidate(name="room", connections=77, capacity=80)], held(0.2), None),
        ([busy(), Candidate(name="room", connections=76, capacity=80)], held(0.2), ("0.20", "room")),
        ([busy(), ROOM, Candidate(name="more", cpu=0.1)], held(0.2), ("0.20", "more")),
        ([busy(0.3, lag_s=0.06), ROOM], held(0.02, 0.1, 0.18), ("0.10", "room")),  # late: its core is taken from it
        ([busy(0.3, lag_s=0.06), Candidate(name="twin", cpu=0.3, lag_s=0.06, strained_s=60)], held(0.1), None),
        ([busy(), Candidate(name="worse", cpu=1.0, strained_s=10), ROOM], held(0.2, node="worse"), ("0.20", "room")),
    ],
)
def test_lesson_leaves_a_strained_node(
    nodes: list[Candidate], lessons: list[LessonLoad], move: tuple[str, str] | None
) -> None:
    assert relieving_move(nodes, lessons) == (Move(bridge=move[0], node=move[1]) if move else None)


def test_strained_is_who_lacks_cpu_or_comes_late() -> None:
    found = [Candidate(name="a", cpu=cpu, lag_s=lag_s).strained for cpu, lag_s in ((0.84, 0.04), (0.85, 0), (0, 0.05))]
    assert found == [False, True, True]
