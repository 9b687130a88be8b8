"""Clients as they are published on npm and PyPI: installed by the ordinary means, and asked what they see."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

HERE: Final = Path(__file__).parent
INSTALLING: Final = 600
ASKING: Final = 60
"""Seconds that the one and the other may take."""

NPM: Final[dict[str, str]] = json.loads((HERE / "package.json").read_text("utf-8"))["dependencies"]
"""Versions of the clients on npm, by name."""
COMFY_CLI: Final = "comfy-cli"

UNASKED: Final = ("--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund")
"""What npm must not do: run scripts of packages, install TypeScript for a peer, ask for audits."""

Seen = dict[str, Any]
"""What a client was seen to make of a queue: see drive.mjs, and ``ComfyCli.ask``."""


class Missing(Exception):
    """A program that is needed is not here. Its text says what to do."""


def versions() -> dict[str, str]:
    """Return the versions that are pinned, by the name of the client."""
    lines = (HERE / "requirements.txt").read_text("utf-8").splitlines()
    pinned = dict(line.split("==") for line in lines if "==" in line)
    return {**NPM, COMFY_CLI: pinned[COMFY_CLI]}


def _run(command: Sequence[str], directory: Path, seconds: float) -> str:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stdout


class NpmClients:
    """The clients on npm, installed below ``directory`` from the lock file, without their scripts."""

    def __init__(self, directory: Path) -> None:
        for program in ("npm", "node"):
            if shutil.which(program) is None:
                raise Missing(f"{program} is not on the PATH: install Node.js 20 or newer, or leave these tests out")
        for name in ("package.json", "package-lock.json", "drive.mjs"):
            shutil.copy(HERE / name, directory)
        self._directory = directory
        _run(["npm", "ci", *UNASKED], directory, INSTALLING)

    def ask(self, name: str, url: str, prompt_id: str) -> Seen:
        """Return what a client makes of the queue at ``url``; it asks for the job ``prompt_id``."""
        seen: Seen = json.loads(_run(["node", "drive.mjs", name, url, prompt_id], self._directory, ASKING))
        return seen


class ComfyCli:
    """comfy-cli, installed into a virtual environment of its own, with a home of its own, and tracking nobody."""

    def __init__(self, directory: Path) -> None:
        _run([sys.executable, "-m", "venv", "venv"], directory, INSTALLING)
        self._programs = directory / "venv" / ("Scripts" if os.name == "nt" else "bin")
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]
        _run([str(self._programs / "python"), *install, str(HERE / "requirements.txt")], directory, INSTALLING)
        self._home = directory / "home"
        self._home.mkdir()

    def ask(self, url: str, prompt_id: str) -> Seen:
        """Return the rows of ``comfy jobs ls``, and the envelope of ``comfy jobs watch`` of one job."""
        listed, watched = self._comfy("ls", url, "--limit", "1000"), self._comfy("watch", url, prompt_id)
        return {"jobs": listed["data"]["jobs"], "watched": watched}

    def _comfy(self, verb: str, url: str, *arguments: str) -> Any:
        place = ["--host", str(urlsplit(url).hostname), "--port", str(urlsplit(url).port)]
        command = [str(self._programs / "comfy"), "--json", "--skip-prompt", "jobs", verb, *arguments, *place]
        own = {**os.environ, "HOME": str(self._home), "XDG_CONFIG_HOME": str(self._home), "DO_NOT_TRACK": "1"}
        # A job that was interrupted, or is not there, ends it with another status than 0: its envelope tells.
        done = subprocess.run(command, cwd=self._home, env=own, stdout=subprocess.PIPE, timeout=ASKING, check=False)
        return json.loads(done.stdout.splitlines()[-1])
