"""Debian's Firefox, headless, for tests that need another browser than Chromium: driven by WebDriver BiDi itself.

Playwright drives only a Firefox of its own, which is not to be had here; BiDi (W3C) is what Debian's speaks.
"""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

START_S = 60.0
ANSWER_S = 60.0
LISTENING = "WebDriver BiDi listening on "
PREFERENCES = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "media.autoplay.default": 0,  # pages may be heard
    "media.gmp-manager.updateEnabled": False,
    "media.navigator.permission.disabled": True,  # cameras without a question
    "media.navigator.streams.fake": True,
    "media.peerconnection.ice.loopback": True,
    "remote.active-protocols": 1,
}


class FirefoxPage:
    """A tab, with the few methods of a Playwright page that the tests need."""

    def __init__(self, firefox: "Firefox", context: str) -> None:
        self._firefox = firefox
        self._context = context

    async def goto(self, url: str) -> None:
        await self._firefox.command("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def evaluate(self, expression: str, arg: object = None) -> object:
        """The value of `expression`, or of calling it with `arg` if it is a function; both go as JSON."""
        call = f"typeof value === 'function' ? await value({json.dumps(arg)}) : await value"
        source = f"(async () => {{ const value = ({expression}); return JSON.stringify({call}); }})()"
        result = await self._firefox.command(
            "script.evaluate", expression=source, target={"context": self._context}, awaitPromise=True
        )
        value = result.get("result")
        assert result.get("type") == "success", result
        assert isinstance(value, dict), result
        return json.loads(value["value"]) if value.get("type") == "string" else None

    async def close(self) -> None:
        await self._firefox.command("browsingContext.close", context=self._context)


class Firefox:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._last = 0

    async def command(self, method: str, **parameters: object) -> dict[str, object]:
        """Its result. One command at a time."""
        self._last += 1
        await self._socket.send_json({"id": self._last, "method": method, "params": parameters})
        async with asyncio.timeout(ANSWER_S):
            async for message in self._socket:
                answer = json.loads(message.data)
                if answer.get("id") == self._last:
                    assert answer["type"] == "success", answer
                    result: dict[str, object] = answer["result"]
                    return result
        raise ConnectionError("Firefox has closed its socket")

    async def new_page(self) -> FirefoxPage:
        return FirefoxPage(self, str((await self.command("browsingContext.create", type="tab"))["context"]))


@asynccontextmanager
async def firefox() -> AsyncIterator[Firefox]:
    executable = shutil.which("firefox-esr") or shutil.which("firefox")
    assert executable, "Firefox is missing; `make packages` installs it"
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        preferences = "".join(f'user_pref("{name}", {json.dumps(value)});\n' for name, value in PREFERENCES.items())
        await asyncio.to_thread((Path(profile) / "user.js").write_text, preferences)
        process = await asyncio.create_subprocess_exec(
            *(executable, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"),
            env={**os.environ, "HOME": profile},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        try:
            async with asyncio.timeout(START_S):
                while LISTENING not in (line := (await process.stderr.readline()).decode()):
                    assert line, "Firefox ended before it listened"
            draining = asyncio.create_task(process.stderr.read(), name="drain Firefox's log")
            url = line.partition(LISTENING)[2].strip()
            async with aiohttp.ClientSession() as http, http.ws_connect(f"{url}/session", max_msg_size=0) as socket:
                browser = Firefox(socket)
                await browser.command("session.new", capabilities={})
                yield browser
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
        await draining
