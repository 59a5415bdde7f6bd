"""JSON of scenes and their steps."""

from typing import Annotated

from pydantic import Field

from controller.schema import Count, DeviceValue, Key, Model, Number
from controller.web.models.rooms import PropertyName
from rooms.scene import MAX_DEADLINE, MAX_STEPS, Importance, Scene, SceneStep


class SceneStepJson(Model):
    id: Key
    device: Key
    property: PropertyName
    value: DeviceValue
    importance: Importance = Importance.USEFUL
    deadline_s: Annotated[Number, Field(gt=0.001, le=MAX_DEADLINE.total_seconds())] = 10
    after: Annotated[list[Key], Field(max_length=MAX_STEPS)] = []
    needs: Annotated[list[Key], Field(max_length=MAX_STEPS)] = []

    @classmethod
    def of(cls, each: SceneStep) -> "SceneStepJson":
        return cls(
            id=each.id,
            device=each.device_id,
            property=each.property,
            value=each.value,
            importance=each.importance,
            deadline_s=each.deadline.total_seconds(),
            after=list(each.after),
            needs=list(each.needs),
        )


class SceneJson(Model):
    name: Key
    version: Count = 0
    steps: Annotated[list[SceneStepJson], Field(max_length=MAX_STEPS)]

    @classmethod
    def of(cls, each: Scene) -> "SceneJson":
        return cls(name=each.name, version=each.version, steps=[SceneStepJson.of(step) for step in each.steps])


class ScenesJson(Model):
    scenes: list[SceneJson]
