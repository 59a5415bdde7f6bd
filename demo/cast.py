"""Which classrooms are simulated: what the demo tells their process. Light, because every command line imports it."""

from dataclasses import dataclass, field

from pydantic import BaseModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Classroom:
    """One simulated room: where it is, an API token of its technician, what its picture says, what its tone is."""

    room_id: str
    token: str = field(repr=False)
    lines: tuple[str, ...]
    colour: str
    hertz: int


class Classrooms(BaseModel):
    """The file that says what to simulate: `{"url", "classrooms": [Classroom]}`."""

    url: str
    classrooms: list[Classroom]
