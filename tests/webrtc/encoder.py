"""FFmpeg as a publisher not written here: its `whip` muxer sends H.264 and Opus."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import imageio_ffmpeg

INPUT = "-re -f lavfi -i testsrc2=s=640x360:r=15 -re -f lavfi -i sine=440:r=48000".split()
VIDEO = "-c:v libx264 -profile:v baseline -preset ultrafast -tune zerolatency -bf 0 -pix_fmt yuv420p -g 15".split()
AUDIO = "-c:a libopus -ac 2".split()


@asynccontextmanager
async def ffmpeg(url: str, token: str, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """FFmpeg publishing a test picture with a running clock and a tone to the WHIP endpoint `url`."""
    process = await asyncio.create_subprocess_exec(
        imageio_ffmpeg.get_ffmpeg_exe(),
        *("-hide_banner", "-nostdin", "-loglevel", "error", *INPUT, *VIDEO, *AUDIO),
        *("-f", "whip", *options, "-authorization", token, url),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
