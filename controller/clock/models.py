"""JSON of the clock."""

from datetime import datetime

from controller.schema import Model


class ClockJson(Model):
    """`now`: as the controller has it. `was_held`: moves by time were held until now."""

    now: datetime
    was_held: bool
