"""What the machine says of its own clock: how long it has run, in which boot, and whether its time is kept by another.

Linux only: clock_gettime(2) CLOCK_BOOTTIME, adjtimex(2).
"""

import ctypes
import time
from pathlib import Path

STA_UNSYNC = 0x0040  # adjtimex(2), `status`: nobody keeps this clock
_TIMEX_BYTES = 256  # struct timex is 208 on 64-bit systems
_SYSTEMD = Path("/run/systemd/timesync/synchronized")  # systemd-timesyncd.service(8)


def uptime_s() -> float:
    """Since the machine was started, the time in which it slept too; nobody can set this clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """Another one after each start of the machine; "" where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def synchronised() -> bool:
    """Whether the kernel, or systemd, knows that the clock is kept by a time server. False also where nobody knows."""
    status = _kernel_status()
    return (status is not None and not status & STA_UNSYNC) or _SYSTEMD.exists()


def _kernel_status() -> int | None:
    """`status` of adjtimex(2), asked without changing anything; None where it cannot be asked."""
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)  # zeroed: `modes` 0 changes nothing
    try:
        answered = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    except (OSError, AttributeError):
        return None
    # unsigned modes; long offset, freq, maxerror, esterror; int status (each long aligned to its own size)
    at = ctypes.sizeof(ctypes.c_long) * 5
    return None if answered == -1 else ctypes.c_int.from_buffer(buffer, at).value
