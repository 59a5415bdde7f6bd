"""Whether the clock can be believed. While it cannot, time alone ends and cancels no lesson.

A flat battery starts a machine days off, and one wrong moment would cancel all lessons until then for good. So the
last moment that was believed is kept, with the machine's uptime, which nobody can set. Where the clock says much more
or less than the uptime, or the machine was started anew much later or earlier, moves by time are held until the clock
is kept by a time server, is right again, or a person says that it is.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from controller.clock import machine as machine_clock
from rooms.errors import StoreUnavailable
from store.clock import ClockStore

logger = logging.getLogger(__name__)

JUMP = timedelta(minutes=3)
"""What is less is a clock that drifted, or a machine that was started anew."""
LOOK_S = 5.0
WRITE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A time as the machine had it: by its clock, and by its uptime in this boot."""

    at: datetime  # aware, UTC
    boot: str
    uptime_s: float


def jump(before: Moment, now: Moment) -> timedelta:
    """By how much the clock differs from what it should say; over a start of the machine, from what it said last."""
    passed = now.at - before.at
    same = before.boot == now.boot != "" and now.uptime_s >= before.uptime_s
    return passed - timedelta(seconds=now.uptime_s - before.uptime_s) if same else passed


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine's own word on its clock; tests say something else."""

    uptime_s: Callable[[], float] = machine_clock.uptime_s
    boot: Callable[[], str] = machine_clock.boot_id
    synchronised: Callable[[], bool] = machine_clock.synchronised


THIS_MACHINE = Machine()


class ClockWatch:
    """Its owner awaits `begin()`, and then runs `run()` in a task."""

    def __init__(self, store: ClockStore, *, clock: Callable[[], datetime], machine: Machine = THIS_MACHINE) -> None:
        self._store = store
        self._clock = clock
        self._machine = machine
        self._believed = self._moment()
        self._held = False
        self._listeners: list[Callable[[], None]] = []

    def on_believed(self, listener: Callable[[], None]) -> None:
        """`listener` is called when the clock is believed again: what was held is due."""
        self._listeners.append(listener)

    async def begin(self) -> None:
        """Compare with the last moment that an earlier controller believed."""
        try:
            kept = await self._store.get()
        except StoreUnavailable as error:
            logger.warning("the last time is not known: %s", error)
            return
        if kept is not None:
            self._believed = Moment(at=kept.at, boot=kept.boot, uptime_s=kept.uptime_s)
        self.believed()

    def believed(self) -> bool:
        """Whether the clock can be believed at this moment."""
        now = self._moment()
        by = jump(self._believed, now)
        if abs(by) <= JUMP or self._machine.synchronised():
            self._believe(now, "the clock is believed again")
        elif not self._held:
            self._held = True
            logger.error(
                "the clock jumped by %s to %s: lessons are not ended or cancelled by time until a time server keeps it"
                " or somebody says `nhipcau clock accept`",
                *(by, now.at.isoformat(timespec="seconds")),
            )
        return not self._held

    def accept(self, actor: str) -> bool:
        """A person says that the clock is right; whether that was in doubt."""
        was_held = not self.believed()
        self._believe(self._moment(), f"{actor} says that the clock is right")
        return was_held

    async def write(self) -> None:
        """Keep the last moment that was believed. Raises `StoreUnavailable`."""
        self.believed()
        last = self._believed
        await self._store.put(at=last.at, boot=last.boot, uptime_s=last.uptime_s)

    async def run(self) -> None:
        """Look, and keep the time, until cancelled."""
        loop = asyncio.get_running_loop()
        write_at = loop.time()
        while True:
            self.believed()
            if loop.time() >= write_at:
                write_at = loop.time() + WRITE_S
                try:
                    await self.write()
                except StoreUnavailable as error:
                    logger.debug("the time is not kept: %s", error)
            await asyncio.sleep(LOOK_S)

    def _believe(self, now: Moment, why: str) -> None:
        self._believed = now
        if self._held:
            self._held = False
            logger.warning("%s: %s", now.at.isoformat(timespec="seconds"), why)
            for listener in self._listeners:
                listener()

    def _moment(self) -> Moment:
        return Moment(at=self._clock(), boot=self._machine.boot(), uptime_s=self._machine.uptime_s())
