"""axe-core over a page as it stands: WCAG 2.0 to 2.2, A and AA, and best practice, at a laptop's and a phone's size."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Page

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
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

    async def at(self, page: Page, state: str) -> None:
        """Look at the page in each size, and leave it in the first."""
        self.states.append(state)
        if not await page.evaluate("() => 'axe' in window"):
            await page.evaluate(AXE.read_text())  # not as a script element: the page's policy would refuse it
        for width, height in SIZES:
            await page.set_viewport_size({"width": width, "height": height})
            violations: list[dict[str, Any]] = await page.evaluate(RUN, TAGS)
            if violations:
                self.found[f"{state} at {width}"] = violations
        await page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})
