"""A device's commands from acceptance to their stated end. Rules only: no broker, no clock.

    accepted ──► sent ──► acknowledged ──► confirmed | assumed | failed | timed_out
        └─► expired            (superseded is possible from each)

One property is one named command: a newer one takes the place of the older, so the queue is no longer than the device
has properties. A command is held while the device is offline or the broker is away; at its deadline it then expires,
and nothing was switched. Only a live report confirms, never a retained one.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from devices.device import (
    ORDERS,
    TRANSITIONS,
    Acknowledgement,
    Command,
    CommandCode,
    CommandId,
    CommandResult,
    CommandState,
    Kind,
    Property,
    PropertyName,
    Stage,
    Value,
)
from devices.errors import QueueFull

logger = logging.getLogger(__name__)

QUEUE_LIMIT = 32
"""Properties of one device that may have a command pending at once."""

MOVES: dict[CommandState, frozenset[CommandState]] = {
    CommandState.ACCEPTED: frozenset(
        {
            CommandState.SENT,
            CommandState.ACKNOWLEDGED,  # the answers may overtake the broker's PUBACK
            CommandState.CONFIRMED,
            CommandState.FAILED,
            CommandState.TIMED_OUT,  # given to the broker, which never said that it has it
            CommandState.SUPERSEDED,
            CommandState.EXPIRED,
            CommandState.ASSUMED,
        }
    ),
    CommandState.SENT: frozenset(
        {
            CommandState.ACCEPTED,  # "busy, try again in 5 s"
            CommandState.ACKNOWLEDGED,
            CommandState.CONFIRMED,
            CommandState.ASSUMED,
            CommandState.FAILED,
            CommandState.TIMED_OUT,
            CommandState.SUPERSEDED,
        }
    ),
    CommandState.ACKNOWLEDGED: frozenset(
        {
            CommandState.ACCEPTED,
            CommandState.CONFIRMED,
            CommandState.ASSUMED,
            CommandState.FAILED,
            CommandState.TIMED_OUT,
            CommandState.SUPERSEDED,
        }
    ),
}


def same(of: Property, desired: Value, reported: Value) -> bool:
    """Whether `reported` shows that `desired` was done: equal, near enough, or what an order leads to."""
    if of.kind is Kind.NUMBER:
        return _near(desired, reported, of.tolerance) or equal(of, desired, reported)
    return reported in ORDERS.get(of.capability, {}).get(desired, ()) or equal(of, desired, reported)


def equal(of: Property, desired: Value, reported: Value) -> bool:
    """Whether `reported` is `desired`: numbers within half a step or one count of the device, all else the same."""
    if of.kind is not Kind.NUMBER:
        return desired == reported and isinstance(desired, bool) == isinstance(reported, bool)
    if isinstance(desired, str) or isinstance(reported, str):
        return False
    if of.scale is not None and of.scale.count(desired) == of.scale.count(reported):
        return True
    return _near(desired, reported, (of.step or 0.0) / 2 * (1 + 1e-6) + 1e-6)


def _near(desired: Value, reported: Value, tolerance: float) -> bool:
    if isinstance(desired, str) or isinstance(reported, str):
        return False
    return math.isclose(desired, reported, rel_tol=1e-6, abs_tol=tolerance)


def is_order(of: Property, desired: Value) -> bool:
    """Whether `desired` is sent even if it is reported already."""
    return of.kind is not Kind.NUMBER and desired in ORDERS.get(of.capability, {})


def on_the_way(of: Property, desired: Value, reported: Value) -> bool:
    """Whether `reported` leads to `desired`: a projector that is warming will be on."""
    return TRANSITIONS.get(of.capability, {}).get(reported) == desired


@dataclass(slots=True)
class _Pending:
    command: Command
    property: Property
    state: CommandState = CommandState.ACCEPTED
    handed_over: bool = False  # given to the connection; whether the broker has it may not be known yet
    not_before: datetime | None = None
    perhaps_sent: bool = False  # the connection ended before the broker said so: the device may have it all the same
    seen: CommandCode = (
        CommandCode.NO_REPORT
    )  # what a timeout will be called: what was reported since it was handed over


class CommandQueue:
    """The commands of one device that have not ended, in order of acceptance.

    Methods that can end commands return how those ended; no command ends twice.
    """

    __slots__ = ("_handed_over_at", "_limit", "_pending", "acknowledges")

    def __init__(self, *, acknowledges: bool, limit: int = QUEUE_LIMIT) -> None:
        self.acknowledges = acknowledges
        self._limit = limit
        self._pending: dict[PropertyName, _Pending] = {}
        self._handed_over_at: dict[PropertyName, datetime] = {}

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def pending(self) -> Mapping[PropertyName, tuple[Command, CommandState]]:
        return {name: (each.command, each.state) for name, each in self._pending.items()}

    def accept(
        self, command: Command, of: Property, now: datetime, *, reported: tuple[Value, datetime] | None = None
    ) -> tuple[CommandResult, ...]:
        """Take `command` on; an older one for the property is superseded. Raises `QueueFull`.

        `reported`: the property's fresh value of a device that is online, and when it came. If that is what is asked
        for, and nothing else was sent since, the command is confirmed without being sent.
        """
        if of.name not in self._pending and len(self._pending) >= self._limit:
            raise QueueFull(f"device {command.device_id}: {len(self._pending)} commands are waiting")
        older = self._pending.pop(of.name, None)  # popped, so that the newer one takes its place at the end
        ended = (self._end(older, CommandState.SUPERSEDED, now),) if older else ()
        newer = _Pending(command, of)
        if command.deadline <= now:
            return (*ended, self._end(newer, CommandState.EXPIRED, now, CommandCode.TOO_LATE))
        if reported is not None and equal(of, command.value, reported[0]) and not is_order(of, command.value):
            sent = self._handed_over_at.get(of.name)
            if sent is None or reported[1] > sent:
                return (*ended, self._end(newer, CommandState.CONFIRMED, now, CommandCode.ALREADY))
        self._pending[of.name] = newer
        return ended

    def next(self, now: datetime) -> Command | None:
        """The next command to hand to the broker, if any; follow with `sent`, `lost` or `refused`."""
        each = self._next(now)
        if each is None:
            return None
        each.handed_over = True
        each.seen = CommandCode.NO_REPORT
        self._handed_over_at[each.property.name] = now
        return each.command

    def ready(self, now: datetime) -> bool:
        """Whether `next` has a command."""
        return self._next(now) is not None

    def _next(self, now: datetime) -> _Pending | None:
        for each in self._pending.values():
            waiting = each.not_before is not None and each.not_before > now
            late = each.command.deadline <= now  # for `tick` to end
            if each.state is CommandState.ACCEPTED and not (each.handed_over or waiting or late):
                return each
        return None

    def sent(self, id: CommandId, now: datetime) -> tuple[CommandResult, ...]:
        """The broker has the command."""
        each = self._find(id)
        if each is None or each.state is not CommandState.ACCEPTED:
            return ()
        if not each.property.reported and not self.acknowledges:
            return (self._end(each, CommandState.ASSUMED, now),)
        self._move_to(each, CommandState.SENT)
        return ()

    def lost(self, id: CommandId, now: datetime) -> tuple[CommandResult, ...]:
        """The connection ended before the broker said that it has the command; the device may have it, or not.

        A value can be set twice, so such a command is held and sent again. What cannot be reported (a button, an
        infra-red code) might toggle at the second time: it ends here.
        """
        each = self._find(id)
        if each is None or each.state is not CommandState.ACCEPTED:
            return ()
        if not each.property.reported:
            return (self._end(each, CommandState.TIMED_OUT, now, CommandCode.BROKER_LOST),)
        each.handed_over, each.perhaps_sent = False, True
        return ()

    def failed(self, id: CommandId, now: datetime, code: str) -> tuple[CommandResult, ...]:
        """The command cannot be carried out, for a reason on our side."""
        each = self._find(id)
        return (self._end(each, CommandState.FAILED, now, code),) if each else ()

    def acknowledged(self, answer: Acknowledgement, now: datetime) -> tuple[CommandResult, ...]:
        """The device answered. Answers to commands that have ended, or were never sent, say nothing."""
        each = self._find(answer.command_id)
        if each is None or not each.handed_over:
            return ()
        match answer.stage:
            case Stage.ACCEPTED | Stage.EXECUTING:
                if each.state is not CommandState.ACKNOWLEDGED:
                    self._move_to(each, CommandState.ACKNOWLEDGED)
            case Stage.DONE:
                if not each.property.reported:
                    return (self._end(each, CommandState.ASSUMED, now, answer.code),)
                if each.state is not CommandState.ACKNOWLEDGED:
                    self._move_to(each, CommandState.ACKNOWLEDGED)
            case Stage.FAILED:
                again = now + answer.retry_after if answer.retry_after is not None else None
                if again is None or again >= each.command.deadline:
                    return (self._end(each, CommandState.FAILED, now, answer.code or CommandCode.FAILED),)
                each.handed_over, each.not_before = False, again
                if each.state is not CommandState.ACCEPTED:
                    self._move_to(each, CommandState.ACCEPTED)
        return ()

    def reported(self, values: Mapping[PropertyName, Value], now: datetime) -> tuple[CommandResult, ...]:
        """The device said, live, what is so."""
        ended: list[CommandResult] = []
        for name, value in values.items():
            each = self._pending.get(name)
            if each is None or not each.handed_over or not each.property.reported:
                continue
            if same(each.property, each.command.value, value):
                ended.append(self._end(each, CommandState.CONFIRMED, now))
            elif on_the_way(each.property, each.command.value, value):
                each.seen = CommandCode.IN_TRANSITION
            else:
                each.seen = CommandCode.CONTRADICTED
        return tuple(ended)

    def tick(self, now: datetime, *, held: str = "") -> tuple[CommandResult, ...]:
        """End what has reached its deadline; `held` is why commands are not being sent, if they are not."""
        return tuple(
            self._end(each, *self._late(each, now, held))
            for each in list(self._pending.values())
            if each.command.deadline <= now
        )

    @staticmethod
    def _late(each: _Pending, now: datetime, held: str) -> tuple[CommandState, datetime, str]:
        """How a command ends at its deadline."""
        if each.handed_over:
            return CommandState.TIMED_OUT, now, each.seen
        if each.perhaps_sent:
            return CommandState.TIMED_OUT, now, CommandCode.BROKER_LOST
        return CommandState.EXPIRED, now, held or CommandCode.NOT_SENT

    def cancel(self, now: datetime) -> tuple[CommandResult, ...]:
        """End everything: the device is not ours to command any more, or we stop."""
        return tuple(
            self._end(each, CommandState.FAILED, now, CommandCode.CANCELLED) for each in list(self._pending.values())
        )

    def due(self, now: datetime) -> datetime | None:
        """When `tick` or `next` has something to do next, should nothing else happen."""
        return min(
            (
                each.not_before
                if each.not_before is not None and not each.handed_over and each.not_before > now
                else each.command.deadline
                for each in self._pending.values()
            ),
            default=None,
        )

    def _find(self, id: CommandId) -> _Pending | None:
        return next((each for each in self._pending.values() if each.command.id == id), None)

    def _move_to(self, each: _Pending, state: CommandState) -> None:
        if state not in MOVES[each.state]:
            raise AssertionError(f"command {each.command.id}: {each.state} -> {state}")
        logger.debug("command %s: %s -> %s", each.command.id, each.state, state)
        each.state = state

    def _end(self, each: _Pending, state: CommandState, now: datetime, code: str = "") -> CommandResult:
        self._move_to(each, state)
        if self._pending.get(each.property.name) is each:
            del self._pending[each.property.name]
        command = each.command
        logger.info("device %s: %s = %r: %s %s", command.device_id, command.property, command.value, state, code)
        return CommandResult(command=command, state=state, code=code, at=now)
