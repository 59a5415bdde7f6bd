"""Scripts for pages of tests, bundled with what they import."""

import asyncio
from pathlib import Path

PLAYER = Path(__file__).parent / "player"


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=PLAYER, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    written, _ = await process.communicate()
    assert process.returncode == 0, written.decode()


async def bundle(script: Path, outfile: Path) -> None:
    """`script` may be TypeScript, and may import what `player/package.json` names."""
    if not (PLAYER / "node_modules" / ".package-lock.json").exists():
        await _run("npm", "ci", "--no-audit", "--no-fund")
    await _run("npx", "esbuild", str(script), "--bundle", "--format=esm", f"--outfile={outfile}")
