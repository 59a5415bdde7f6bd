"""What the browser has to fetch before a page can be used, from the files that the build made."""

import json
from pathlib import Path

import pytest

DIST = Path(__file__).parents[3] / "controller" / "web" / "dist"
AIM_B = 100_000
WORK = "src/pages/Work.svelte"
DISPLAY = "src/display/Display.svelte"
PAGES = {
    "login": (WORK, "src/pages/Login.svelte"),
    "set-up": (WORK, "src/pages/Setup.svelte"),
    "today": (WORK, "src/pages/today/Today.svelte"),
    "rooms": (WORK, "src/pages/rooms/Rooms.svelte"),
    "lessons": (WORK, "src/pages/quality/Lessons.svelte"),
    "people": (WORK, "src/pages/people/People.svelte"),
    "audit": (WORK, "src/pages/people/Audit.svelte"),
    "organisations": (WORK, "src/pages/organisations/Organisations.svelte"),
    "account": (WORK, "src/pages/account/Account.svelte"),
    "first password": (WORK, "src/pages/account/FirstPassword.svelte"),
    "display": (DISPLAY,),
}


def files_of(*sources: str) -> set[str]:
    """The built files that these sources and all that they import at once are in."""
    manifest = json.loads((DIST / ".vite" / "manifest.json").read_text())
    found: set[str] = set()
    left = [*sources]
    seen: set[str] = set()
    while left:
        source = left.pop()
        if source not in seen:
            seen.add(source)
            chunk = manifest[source]
            found |= {chunk["file"], *chunk.get("css", ())}
            left += chunk.get("imports", ())
    return found


def sent_b(file: str) -> int:
    """Bytes of the body after gzip; a file too small to be compressed is sent as it is."""
    packed = DIST / f"{file}.gz"
    return (packed if packed.is_file() else DIST / file).stat().st_size


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_first_page_weighs_little(page: str, language: str) -> None:
    files = {"index.html"} | files_of("index.html", f"src/i18n/{language}/words.ts", *PAGES[page])
    weight = sum(sent_b(file) for file in files)
    assert 20_000 < weight < AIM_B, sorted((sent_b(file), file) for file in files)


def test_people_do_not_fetch_the_display_nor_the_display_their_pages() -> None:
    pages = {file for page, sources in PAGES.items() if page != "display" for file in files_of(*sources)}
    own = files_of(DISPLAY) - files_of("index.html")
    assert not any("Display" in file for file in pages)
    assert not any(name in file for file in own for name in ("Work", "Rooms", "Today", "People"))


def test_every_long_text_is_compressed_beforehand() -> None:
    texts = [file for kind in ("js", "css", "html", "json") for file in DIST.glob(f"**/*.{kind}")]
    long = {file for file in texts if file.stat().st_size >= 512 and ".vite" not in file.parts}
    assert len(long) > 10
    packed = {file for file in long for ending in (".gz", ".br") if file.with_name(file.name + ending).is_file()}
    assert packed == long
