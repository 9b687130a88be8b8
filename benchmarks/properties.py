"""How many generated requests per second reach a server, compared with Schemathesis's own command ``st run``.

Both send requests to the same reference endpoint, which has its own process. Whole processes are measured, from start
to report, with few and with many requests. The difference in time is the time for the additional requests, without
start and report. ``st run`` gets a hook that adds a query, since it generates nothing for an operation without
parameters. It checks status, media type and schema of each response; our command checks each one against every clause.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from conformance.spec.document import CORRECTED_PATH

ROUNDS = 5
FEW, MANY = 500, 2500
BIN = Path(sys.executable).parent
HOOK = """
import schemathesis
from hypothesis import strategies as st

@schemathesis.hook
def before_generate_query(ctx, strategy):
    return st.dictionaries(st.sampled_from(["a", "limit", "sort"]), st.text("abc01'", max_size=8), max_size=3)
"""


def ours(target: str, directory: Path, requests: int) -> float:
    """Run our command, and return how many seconds it took."""
    command = [
        str(BIN / "comfy-conformance"),
        "check",
        target,
        "--no-key",
        "--properties",
        str(requests),
        "--example-database",
        "none",
        "--seed",
        "1",
    ]
    start = time.perf_counter()
    subprocess.run(command, cwd=directory, capture_output=True, check=True, timeout=120)
    taken = time.perf_counter() - start
    report = json.loads((directory / "reports/latest/compliance.json").read_text(encoding="utf-8"))
    assert report["properties"]["examples"] == requests
    return taken


def theirs(target: str, directory: Path, requests: int) -> float:
    """Run ``st run``, and return how many seconds it took."""
    (directory / "query_hook.py").write_text(HOOK, encoding="utf-8")
    command = [
        str(BIN / "st"),
        "run",
        str(CORRECTED_PATH),
        "--url",
        target,
        "--no-color",
        "-H",
        "X-API-Key: any",
        "--phases",
        "fuzzing",
        "-n",
        str(requests),
        "--seed",
        "1",
        "--continue-on-failure",
        "--exclude-checks",
        "positive_data_acceptance,ignored_auth,missing_required_header",
    ]
    start = time.perf_counter()
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "query_hook", "PYTHONPATH": str(directory)}
    done = subprocess.run(
        command, cwd=directory, capture_output=True, check=False, timeout=120, text=True, env=environment
    )
    taken = time.perf_counter() - start
    generated = re.search(r"(\d[\d,]*) generated", done.stdout)
    if generated is None or int(generated[1].replace(",", "")) < requests:
        raise RuntimeError(done.stdout[-600:] + done.stderr[-300:])
    return taken


def main() -> None:
    """Measure both commands in turn, and print a table."""
    serve = [str(BIN / "comfy-conformance"), "serve", "--port", "0"]
    with tempfile.TemporaryDirectory() as place, subprocess.Popen(serve, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        target = server.stderr.readline().split()[1].removesuffix("/api/queue;")
        commands = {"comfy-conformance check --properties": ours, "st run": theirs}
        taken: dict[str, dict[int, list[float]]] = {name: {FEW: [], MANY: []} for name in commands}
        try:
            for _ in range(ROUNDS):
                for requests in (FEW, MANY):
                    for name, command in commands.items():
                        taken[name][requests].append(command(target, Path(place), requests))
        finally:
            server.terminate()
    print(f"| command | {MANY} requests, whole process | traffic alone |\n|---|---|---|")
    rates = []
    for name, seconds in taken.items():
        few, many = statistics.median(seconds[FEW]), statistics.median(seconds[MANY])
        rates.append((MANY / many, (MANY - FEW) / (many - few)))
        print(f"| {name} | {rates[-1][0]:.0f} a second | {rates[-1][1]:.0f} a second |")
    (whole, traffic), (their_whole, their_traffic) = rates
    print(f"\nours / st run: {whole / their_whole:.2f} whole, {traffic / their_traffic:.2f} traffic alone")


if __name__ == "__main__":
    main()
