"""HAR files made from one good recording, and what ``judge`` reports on them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, Final

from conformance.exchange.model import Exchange
from conformance.exchange.recordings import read
from helpers.cli_runner import call

CASES: Final = Path(__file__).parents[1] / "cases" / "recordings"
GOOD: Final = json.loads((CASES / "00_good.har").read_text())
BODY: Final = GOOD["log"]["entries"][0]["response"]["content"]["text"].encode()
CUT: Final = BODY[:500]
HEAD: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: Fri, 20 Nov 2026 10:00:00 GMT\r\n"
    b"Cache-Control: no-store\r\n"
)
ID: Final = "0b8a5c1e-7d3f-4a21-9c44-000000000001"
BAD: Final = ID.replace("-", "_")
NO_UUID: Final = {"FAILED item.prompt-id.uuid"}

Asked = tuple[str, dict[str, str], bytes]
"""URL, request headers, and the body of the response."""


def judged(path: Path, *options: str) -> tuple[int, set[str], str]:
    """Run ``judge`` on a file. Returns its exit status, the lines of broken clauses, and its output."""
    result = call("judge", path, *options)
    shown = result.stdout + result.stderr
    broken = {line.split(":")[0] for line in shown.splitlines() if line.startswith(("FAILED", "WARNING", "ERROR"))}
    assert "does it speak HTTP" not in shown
    return result.exit_code, broken, shown


def bad_id(data: bytes) -> bytes:
    """Replace the id of the first job by an invalid one of the same length, whatever the file's encoding."""
    if data.startswith(b"\x1f\x8b"):
        return gzip.compress(bad_id(gzip.decompress(data)))
    if data.startswith(b"\xff\xfe"):
        return data.replace(ID.encode("utf-16-le"), BAD.encode("utf-16-le"))
    return data.replace(ID.encode(), BAD.encode())


def har_of(*asked: Asked, **changes: Any) -> bytes:
    """Return a HAR file of these requests and responses, a second apart."""
    entries = []
    for second, (url, headers, body) in enumerate(asked):
        entry = json.loads(json.dumps(GOOD["log"]["entries"][0]))
        entry["startedDateTime"] = f"2026-11-20T10:{second // 60:02}:{second % 60:02}.000Z"
        entry["request"]["url"] = url
        entry["request"]["headers"] += [{"name": name, "value": value} for name, value in headers.items()]
        entry["response"] |= changes
        entry["response"]["content"] |= {"text": body.decode(), "size": len(body)}
        entries.append(entry)
    return json.dumps({"log": {"entries": entries}}).encode()


def one(data: bytes, method: str | None = None, request: bytes | None = None) -> Exchange:
    """Read a recording with a single exchange."""
    (exchange,) = read(data, name="x.http", method=method, request=request)
    return exchange
