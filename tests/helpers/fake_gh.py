"""An imitation of GitHub's command ``gh``: it has issues and one artifact, and records every call.

Its state is ``state.json`` in the folder that the environment variable FAKE_GH names; ``calls.jsonl`` there has every
call.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, Final

HOME: Final = Path(os.environ.get("FAKE_GH", "."))


def option(arguments: list[str], name: str) -> str:
    """Return the value of an option, which must be present."""
    return arguments[arguments.index(name) + 1]


def main(arguments: list[str]) -> int:  # noqa: C901, PLR0912 - one branch for each call
    """Perform one of the calls that the workflows make; exit with 2 for any other."""
    with (HOME / "calls.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(arguments) + "\n")
    path = HOME / "state.json"
    state: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {"issues": {}, "labels": []}
    issues = state["issues"]
    match arguments[:2]:
        case ["api", _]:
            if (HOME / "artifact").exists():
                print(4711)  # noqa: T201
        case ["run", "download"]:
            shutil.copytree(HOME / "artifact", option(arguments, "--dir"), dirs_exist_ok=True)
        case ["label", "create"]:
            state["labels"].append(arguments[2])
        case ["issue", "list"]:
            for number, issue in issues.items():
                if issue["open"] and option(arguments, "--label") in issue["labels"]:
                    print(number)  # noqa: T201
        case ["issue", "view"]:
            print(issues[arguments[2]]["body"])  # noqa: T201
        case ["issue", "create"]:
            label = option(arguments, "--label")
            if label not in state["labels"]:
                return 1
            issues[str(len(issues) + 1)] = {
                "open": True,
                "labels": [label],
                "title": option(arguments, "--title"),
                "comments": [],
                "body": Path(option(arguments, "--body-file")).read_text("utf-8"),
            }
        case ["issue", "edit"]:
            issues[arguments[2]] |= {
                "title": option(arguments, "--title"),
                "body": Path(option(arguments, "--body-file")).read_text("utf-8"),
            }
        case ["issue", "comment"]:
            issues[arguments[2]]["comments"].append(Path(option(arguments, "--body-file")).read_text("utf-8"))
        case ["issue", "close"]:
            issues[arguments[2]]["open"] = False
        case _:
            return 2
    path.write_text(json.dumps(state), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
