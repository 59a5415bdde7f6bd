"""What the next controller must know of nodes and bridges: kept in a file, because nodes go on while we restart.

Without it a controller that starts, and hears of one node sooner than of the other, would place a live lesson again.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from controller.small_file import noted, read_small

MAX_ENTRIES = 10_000
"""Far more lessons than are live at once; the oldest beyond it were never closed because we died in between."""


@dataclass(frozen=True, slots=True)
class Placement:
    """`run`: which start of the node's process has the bridge; another one means that all must join anew."""

    node: str
    run: str


class PlacementFile:
    """Bridges and who holds them, and the nodes that made themselves known.

    Each change is written at once, or as soon as it can be.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._placements: dict[str, Placement] = {}
        self._registered: dict[str, str] = {}
        self._written = True
        self._read()

    @property
    def registered(self) -> dict[str, str]:
        """Name -> control URL."""
        return dict(self._registered)

    def of(self, bridge: str) -> Placement | None:
        return self._placements.get(bridge)

    def on(self, node: str) -> list[str]:
        """The bridges that this node holds, or held last."""
        return [bridge for bridge, placement in self._placements.items() if placement.node == node]

    def put(self, bridge: str, placement: Placement) -> None:
        if self._placements.get(bridge) != placement:
            self._placements[bridge] = placement
            while len(self._placements) > MAX_ENTRIES:
                del self._placements[next(iter(self._placements))]
            self._write()

    def remove(self, bridge: str) -> None:
        if self._placements.pop(bridge, None) is not None:
            self._write()

    def register(self, name: str, url: str | None) -> None:
        """`url` None: no longer."""
        if self._registered.get(name) != url:
            self._registered.pop(name, None)
            if url is not None:
                self._registered[name] = url
            self._write()

    def catch_up(self) -> None:
        """Write what could not be written before: the disk may have been full."""
        if not self._written:
            self._write()

    def _read(self) -> None:
        try:
            told = json.loads(read_small(self._file) or "")
            self._placements = {bridge: Placement(node, run) for bridge, (node, run) in told["bridges"].items()}
            self._registered = {str(name): str(url) for name, url in told["registered"].items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            pass  # the first start, or cut short when the machine went down: then the nodes are asked

    def _write(self) -> None:
        bridges = {bridge: (placement.node, placement.run) for bridge, placement in self._placements.items()}
        text = json.dumps({"bridges": bridges, "registered": self._registered})
        self._written = noted(self._file, text, said=not self._written)
