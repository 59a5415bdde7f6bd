"""What requests for a lesson's quality say."""

from controller.schema import Key, Model


class LessonQualityQuery(Model):
    """`room`: this site only, in full; all of them in fewer steps where it is left out."""

    room: Key | None = None
