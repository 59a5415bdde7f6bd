"""What a teacher can do at a full disk: see, and end the lesson."""

from pathlib import Path

from rooms.invitation import InvitationState
from rooms.people.account import Role
from tests.controller.web.house import GUEST, HOST, LESSON, ROOMS, open_house
from tests.filesystem import small_disk


async def test_lesson_is_ended_by_its_teacher_though_nothing_can_be_written(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        async with open_house(disk.path) as house:
            teacher = await house.program(HOST, Role.TEACHER)
            await house.store.lessons.set_invitation(LESSON, ROOMS[GUEST].id, InvitationState.ACCEPTED)
            assert (await teacher.ask("POST", f"/lessons/{LESSON}/start"))[0] == 200
            with disk.full():
                assert (await teacher.ask("PUT", f"/lessons/{LESSON}/mode", {"mode": "teacher"}))[0] == 503
                for _ in range(2):
                    status, lesson = await teacher.ask("POST", f"/lessons/{LESSON}/end")
                    assert (status, lesson["state"], lesson["end_reason"]) == (200, "ended", "tap")
                status, lesson = await teacher.ask("GET", f"/lessons/{LESSON}")
                assert (status, lesson["state"]) == (200, "ended")
