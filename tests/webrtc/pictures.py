"""Moving pictures and a tone to publish, and how to recognise them."""

from fractions import Fraction

from aiortc import AudioStreamTrack, VideoStreamTrack
from av import AudioFrame, VideoFrame

WIDTH, HEIGHT = 320, 180


class Picture(VideoStreamTrack):
    """30 frames per second of grey `brightness` (0 to 255) with a black bar that walks to the right."""

    def __init__(self, brightness: int) -> None:
        super().__init__()
        self._brightness = brightness
        self._count = 0

    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, level in zip(frame.planes, (self._brightness, 128, 128), strict=True):
            plane.update(bytes([level]) * plane.buffer_size)
        luma = frame.planes[0]
        rows = bytearray([self._brightness]) * luma.buffer_size
        left = 8 * self._count % (WIDTH - 8)
        for row in range(HEIGHT):
            start = row * luma.line_size + left
            rows[start : start + 8] = bytes(8)
        luma.update(bytes(rows))
        frame.pts, frame.time_base = pts, time_base
        self._count += 1
        return frame


class Tone(AudioStreamTrack):
    """A square wave of 500 Hz at 8 kHz, loud enough to be told from silence."""

    async def recv(self) -> AudioFrame:
        silence = await super().recv()
        assert isinstance(silence, AudioFrame)
        frame = AudioFrame(format="s16", layout="mono", samples=silence.samples)
        wave = (b"\x00\x20" * 8 + b"\x00\xe0" * 8) * (silence.samples // 16 + 1)
        frame.planes[0].update(wave[: frame.planes[0].buffer_size])
        frame.pts, frame.sample_rate, frame.time_base = silence.pts, 8000, Fraction(1, 8000)
        return frame


def brightness(frame: VideoFrame) -> int:
    """The brightness of its corner, where the bar is rarely."""
    luma = frame.reformat(format="gray").planes[0]
    return bytes(luma)[(HEIGHT - 1) * luma.line_size + WIDTH - 2]


def loudness(frame: AudioFrame) -> int:
    """The largest sample, 0 to 32768."""
    samples = memoryview(bytes(frame.planes[0])).cast("h")
    return max(abs(sample) for sample in samples)
