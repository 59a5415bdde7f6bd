"""Bridges that no live lesson needs: their lesson ended while we, or their node, were away."""

import asyncio
import logging
from contextlib import suppress

from controller.nodes.bridges import Nodes
from rooms.errors import LessonNotFound
from rooms.lesson import LessonId, LessonState
from store import Store

logger = logging.getLogger(__name__)


async def close_stray(lesson_id: LessonId, *, store: Store, nodes: Nodes, following: asyncio.Lock) -> None:
    """Close the bridge unless its lesson is live. `following`: held while what runs is made to agree with lessons."""
    try:
        with suppress(LessonNotFound, ConnectionError):  # without database or node: at the bridge's next change
            async with following:
                if (await store.lessons.get(lesson_id)).state is not LessonState.LIVE:
                    await nodes.close(lesson_id)
    except Exception:  # noqa: BLE001  # the rim around one bridge
        logger.exception("bridge %s: could not be closed", lesson_id)
