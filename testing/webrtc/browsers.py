"""Rooms in a real browser: pages that publish layers and play slots (`page/`), and what the browser says of them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from testing.webrtc.nodes import Node, token

PAGE = Path(__file__).parent / "page"
COLOURS = ("teal", "maroon", "navy", "olive", "purple", "indigo", "sienna", "green")


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[str]:
    """`folder` at an origin of its own: its pages must get through CORS."""
    app = web.Application()
    app.router.add_static("/", folder)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class BrowserPage(Protocol):
    """A page of Playwright's, or of our Firefox."""

    async def goto(self, url: str) -> Any: ...
    async def evaluate(self, expression: str, arg: Any = None) -> Any: ...
    async def close(self) -> Any: ...


class RealBrowser(Protocol):
    async def new_page(self) -> BrowserPage: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One page, as one participant of a bridge."""

    page: BrowserPage
    node: Node
    bridge: str
    name: str

    async def publish(self, **options: object) -> str:
        """The answer."""
        asked = {"url": self.node.media("whip", self.bridge), "token": token(self.bridge, self.name), **options}
        return str(await self.page.evaluate("options => publish(options)", asked))

    async def play(self, **options: object) -> str:
        asked = {"url": self.node.media("whep", self.bridge), "token": token(self.bridge, self.name), **options}
        return str(await self.page.evaluate("options => play(options)", asked))

    async def layout(self, heights: dict[str, int]) -> Any:
        return await self.page.evaluate("heights => layout(heights)", heights)

    async def activate(self, *rids: str) -> None:
        await self.page.evaluate("rids => activate(rids)", list(rids))

    async def received(self, kind: str = "video") -> dict[str, dict[str, Any]]:
        """inbound-rtp by mid."""
        entries = await self.page.evaluate("stats('play', 'inbound-rtp')")
        return {entry["mid"]: entry for entry in entries if entry["kind"] == kind}

    async def sent(self) -> dict[str, dict[str, Any]]:
        """outbound-rtp of the picture by rid."""
        entries = await self.page.evaluate("stats('publish', 'outbound-rtp')")
        return {entry.get("rid", ""): entry for entry in entries if entry["kind"] == "video"}

    async def until(self, condition: str, *, timeout_s: float = 20.0) -> None:
        """`condition`: a JavaScript expression over `video` and `audio`, the inbound-rtp entries by mid."""
        held = await self.page.evaluate(
            f"""async (limit) => {{
              const end = performance.now() + limit;
              while (performance.now() < end) {{
                const entries = await stats("play", "inbound-rtp");
                const of = (kind) => Object.fromEntries(
                  entries.filter((each) => each.kind === kind).map((each) => [each.mid, each]));
                const video = of("video"), audio = of("audio");
                if ({condition}) return true;
                await new Promise((done) => setTimeout(done, 50));
              }}
              return false;
            }}""",
            timeout_s * 1000,
        )
        assert held, f"{self.name}: not within {timeout_s:.0f} s: {condition}"


@asynccontextmanager
async def rooms(browser: RealBrowser, node: Node, bridge: str, *names: str) -> AsyncIterator[tuple[Room, ...]]:
    """Pages for `names`, which have done nothing yet."""
    async with AsyncExitStack() as stack:
        origin = await stack.enter_async_context(served(PAGE))
        found = []
        for name in names:
            page = await browser.new_page()
            stack.push_async_callback(page.close)
            await page.goto(f"{origin}/page.html")
            found.append(Room(page=page, node=node, bridge=bridge, name=name))
        yield tuple(found)
