import pytest

from controller.placement import Candidate, least_loaded


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
        ([Candidate(name="a", connections=79, capacity=80), Candidate(name="b", cpu=0.7)], "a"),
    ],
)
def test_lesson_goes_to_the_node_with_most_room(candidates: list[Candidate], best: str | None) -> None:
    chosen = least_loaded(candidates)
    assert (chosen.name if chosen else None) == best
