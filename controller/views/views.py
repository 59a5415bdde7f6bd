"""All that pages and displays are shown of lessons, put together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Self

from controller.displays.media_tokens import Grants
from controller.displays.presence import Displays
from controller.displays.states import DisplayStates
from controller.lessons.conductor import Conductor
from controller.nodes.bridges import Nodes
from controller.quality.watch import QualityWatch
from controller.views.announcements import Announcements, announce_room
from controller.views.lesson_view import LessonViews
from controller.views.watching import Watching
from devices.changes import Changes
from store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """`displays`: those that are here; `quality`: its owner runs it."""

    lessons: LessonViews
    display_states: DisplayStates
    watching: Watching
    displays: Displays
    quality: QualityWatch

    @classmethod
    def of(
        cls, *, store: Store, nodes: Nodes, conductor: Conductor, changes: Changes, clock: Callable[[], datetime]
    ) -> Self:
        """What is shown of the lessons of this conductor, and announced when it changes."""
        displays = Displays(partial(announce_room, conductor=conductor, changes=changes))
        grants = Grants(nodes)
        quality = QualityWatch(
            store=store, nodes=nodes, conductor=conductor, changes=changes, said=displays.said, clock=clock
        )
        Announcements(nodes=nodes, conductor=conductor, displays=displays, changes=changes)
        return cls(
            lessons=LessonViews(store=store, nodes=nodes, conductor=conductor, displays=displays, quality=quality),
            display_states=DisplayStates(
                store=store, nodes=nodes, grants=grants, conductor=conductor, displays=displays, clock=clock
            ),
            watching=Watching(nodes=nodes, grants=grants, conductor=conductor, clock=clock),
            displays=displays,
            quality=quality,
        )
