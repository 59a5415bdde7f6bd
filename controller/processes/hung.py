"""Whether a local node's process hangs, seen from outside our event loop: it is looked at before it is ended."""

import asyncio
import http.client
import os
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

ANSWER_TIMEOUT_S = 2.0
WORKS = 0.05
"""Share of a core above which its CPU clock moves."""


class Look(Enum):
    ANSWERS = "answers others"
    WORKS = "works"  # its CPU clock moves
    STANDS = "stands still"


async def look_at(pid: int, url: str) -> Look:
    """How the process is whose HTTP is at `url`; takes `ANSWER_TIMEOUT_S` where it does not answer."""
    loop = asyncio.get_running_loop()
    before_s, began = cpu_s(pid), loop.time()
    if await asyncio.to_thread(_answers, url):
        return Look.ANSWERS
    used_s = cpu_s(pid) - before_s
    return Look.WORKS if used_s >= WORKS * (loop.time() - began) and used_s > 0 else Look.STANDS


def cpu_s(pid: int) -> float:
    """CPU time that the process has used (proc(5), `stat`); 0 where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0.0
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _answers(url: str) -> bool:
    """Whether anybody speaks HTTP there, whatever it says."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=ANSWER_TIMEOUT_S)
    try:
        connection.request("GET", "/v1/node")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
