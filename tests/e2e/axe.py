"""axe-core over a page as it stands: WCAG 2.0 to 2.2, A and AA, and best practice, at a laptop's and a phone's size."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Page

WEB = Path(__file__).parents[2] / "web"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
PAGES = WEB / "src" / "pages.json"
SIZES = ((1280, 800), (390, 844))
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """
async (tags) => {
  const drawn = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  await drawn();  // what follows the size of the window has followed
  await drawn();
  await Promise.all(document.getAnimations().filter((each) => each.effect?.getTiming().iterations !== Infinity)
    .map((each) => each.finished.catch(() => undefined)));
  const { violations } = await axe.run(document, {
    runOnly: { type: "tag", values: tags },
    rules: { "label-content-name-mismatch": { enabled: true } },  // 2.5.3; off by default, because it is new
    resultTypes: ["violations"],
  });
  return violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html.slice(0, 160)) }));
}
"""


@dataclass
class Looks:
    """What axe found, state by state. `await looks.at(page, "login")` at each; `found` at the end."""

    found: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    states: list[str] = field(default_factory=list)
    addresses: set[str] = field(default_factory=set)

    async def at(self, page: Page, state: str) -> None:
        """Look at the page in each size, and leave it in the first."""
        self.states.append(state)
        self.addresses.add(urlsplit(page.url).path)
        if not await page.evaluate("() => 'axe' in window"):
            await page.evaluate(AXE.read_text())  # not as a script element: the page's policy would refuse it
        for width, height in SIZES:
            await page.set_viewport_size({"width": width, "height": height})
            violations: list[dict[str, Any]] = await page.evaluate(RUN, TAGS)
            if violations:
                self.found[f"{state} at {width}"] = violations
        await page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})

    def unseen(self) -> list[str]:
        """The app's pages of which no state was looked at; `/` leads to one of them."""
        patterns: list[str] = json.loads(PAGES.read_text())
        return [each for each in patterns if each != "/" and not any(map(_address(each).fullmatch, self.addresses))]


def _address(pattern: str) -> re.Pattern[str]:
    """Of the pages of a pattern such as `/rooms/{room}`."""
    return re.compile("/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in pattern.split("/")))
