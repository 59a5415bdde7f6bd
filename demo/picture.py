"""What a simulated classroom sends: a moving, labelled picture with a clock, and a tone of its own."""

import asyncio
import math
import struct
import unicodedata
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

from aiortc import MediaStreamTrack
from av import AudioFrame, VideoFrame
from PIL import Image, ImageDraw, ImageFont

SIZE = (640, 360)
FRAME_RATE = 15
VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
VIDEO_CLOCK = Fraction(1, 90_000)
SAMPLE_RATE = 48_000
SAMPLES = 960  # 20 ms
LOUDNESS = 1200  # of 32767: to be heard, not to hurt
FONTS = (
    Path("/usr/share/fonts/truetype/noto/NotoSans-Bold.ttf"),
    Path("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"),
    Path("/usr/share/fonts/truetype/liberation/LiberationSans-Bold.ttf"),
    Path("/System/Library/Fonts/Supplemental/Arial Bold.ttf"),
)
"""Fonts with Vietnamese letters where common systems have them; Pillow's own has none."""


class _Paced(MediaStreamTrack):
    """Hands out a frame every `interval_s`, without drifting."""

    def __init__(self, interval_s: float) -> None:
        super().__init__()
        self._interval_s = interval_s
        self._started: float | None = None
        self._count = 0

    async def _next(self) -> int:
        """The number of the frame that is due, when it is due."""
        now = asyncio.get_running_loop().time()
        if self._started is None:
            self._started = now
        self._count += 1
        await asyncio.sleep(max(0.0, self._started + self._count * self._interval_s - now))
        return self._count


class LabelledPicture(_Paced):
    """A classroom's name, the time to the tenth of a second and a ball that moves, on the school's colour."""

    kind = "video"

    def __init__(self, lines: tuple[str, ...], colour: str) -> None:
        super().__init__(1 / FRAME_RATE)
        self._large, self._small, self._accents = _fonts()
        self._background = self._drawn(lines, colour)

    async def recv(self) -> VideoFrame:
        number = await self._next()
        image = self._background.copy()
        draw = ImageDraw.Draw(image)
        now = datetime.now(VIETNAM)
        draw.text((32, 250), f"{now:%H:%M:%S}.{now.microsecond // 100_000}", font=self._large, fill="white")
        x, y = 480 + 100 * math.cos(number / 12), 250 + 60 * math.sin(number / 7)
        draw.ellipse((x - 24, y - 24, x + 24, y + 24), fill="#ffd54f")
        frame = VideoFrame(*SIZE, "rgb24")
        frame.planes[0].update(image.tobytes())  # 3 x 640 bytes a line: no padding
        frame.pts = number * 90_000 // FRAME_RATE
        frame.time_base = VIDEO_CLOCK
        return frame

    def _drawn(self, lines: tuple[str, ...], colour: str) -> Image.Image:
        image = Image.new("RGB", SIZE, colour)
        draw = ImageDraw.Draw(image)
        for index, line in enumerate(lines):
            font = self._large if index == 0 else self._small
            text = line if self._accents else without_accents(line)
            draw.text((32, 32 + 64 * index), text, font=font, fill="white")
        return image


class Tone(_Paced):
    """A soft sine tone that swells and fades once a second, so that a person hears that it is live."""

    kind = "audio"

    def __init__(self, hertz: int) -> None:
        """`hertz`: a multiple of 50, so that each 20 ms hold whole waves and one second can be played for ever."""
        super().__init__(SAMPLES / SAMPLE_RATE)
        wave = [math.sin(2 * math.pi * hertz * index / SAMPLE_RATE) for index in range(SAMPLES)]
        count = SAMPLE_RATE // SAMPLES
        swell = [LOUDNESS * (0.5 + 0.5 * math.sin(2 * math.pi * index / count)) for index in range(count)]
        self._second = [struct.pack(f"<{SAMPLES}h", *(int(loudness * each) for each in wave)) for loudness in swell]

    async def recv(self) -> AudioFrame:
        number = await self._next()
        frame = AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        frame.planes[0].update(self._second[number % len(self._second)])
        frame.sample_rate = SAMPLE_RATE
        frame.pts = number * SAMPLES
        frame.time_base = Fraction(1, SAMPLE_RATE)
        return frame


def without_accents(text: str) -> str:
    """`text` in letters that every font has."""
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _fonts() -> tuple[ImageFont.FreeTypeFont, ImageFont.FreeTypeFont, bool]:
    """A large and a small font, and whether they have Vietnamese letters."""
    for path in FONTS:
        if path.exists():
            return ImageFont.truetype(path, 40), ImageFont.truetype(path, 26), True
    large, small = ImageFont.load_default(40), ImageFont.load_default(26)
    assert isinstance(large, ImageFont.FreeTypeFont)
    assert isinstance(small, ImageFont.FreeTypeFont)
    return large, small, False
