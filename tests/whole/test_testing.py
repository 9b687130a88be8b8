"""The fixture for authors of clients, used as they would: in a project of their own, by a pytest of its own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from helpers.commands import Done, plain_pytest, suite

QUIET = ("-p", "no:cacheprovider", "-q")
CONFTEST = 'pytest_plugins = ["conformance.testing"]\n'
CLIENT = '''
import json
import urllib.request

def pending(server):
    """A naive client: it trusts every place of the tuple."""
    key = {"X-API-Key": server.key} if server.key else {}
    request = urllib.request.Request(server.url + "/api/queue", headers=key)
    with urllib.request.urlopen(request, timeout=60) as answer:
        queue = json.load(answer)
    return [(item[0], item[3][0], item[4]["create_time"]) for item in queue["queue_pending"]]
'''


def project(folder: Path, tests: str, conftest: str = CONFTEST) -> Done:
    """Run the tests of somebody's project."""
    (folder / "conftest.py").write_text(conftest)
    (folder / "client.py").write_text(CLIENT)
    (folder / "test_client.py").write_text(f"import json\n\nimport pytest\nfrom client import pending\n\n{tests}")
    return plain_pytest(folder, *QUIET, "--tb=short", ".")


def test_a_client_is_tested_against_what_keeps_the_contract_and_what_breaks_it(tmp_path: Path) -> None:
    done = project(
        tmp_path,
        """
def test_reads_the_queue(queue_server):
    assert [number for number, *_ in pending(queue_server())] == [2, 3, 4, 5, 6, 7]

@pytest.mark.parametrize("variant", ["empty-queue", "hundreds-of-jobs", "key-enforced", "chunked", "prefix-path"])
def test_reads_every_queue(queue_server, variant):
    pending(queue_server(variant))

def test_reads_swapped_elements(queue_server):
    pending(queue_server(fault="comfyui-order"))

def test_notices_a_cut(queue_server):
    server = queue_server(fault="cut-short")
    with pytest.raises(json.JSONDecodeError):
        pending(server)
""",
    )
    assert "1 failed, 7 passed" in done.stdout, done.stdout + done.stderr
    assert "test_reads_swapped_elements - KeyError: 0" in done.stdout


def test_exact_answers_are_served_one_after_the_other_and_the_last_for_ever(tmp_path: Path) -> None:
    job = json.dumps([3, "0b5f8e4e-3a4f-4b8f-9a3e-5d2f1c0b7a61", {}, ["9"], {"create_time": 1_763_913_600_000}])
    done = project(
        tmp_path,
        f"""
IDLE = {{"queue_running": [], "queue_pending": []}}
BUSY = b'{{"queue_running": [], "queue_pending": [{job}]}}'
SEEN = [(3, "9", 1763913600000)]

def test_one(queue_server):
    server = queue_server(answers=BUSY)
    assert [pending(server), pending(server)] == [SEEN, SEEN]

def test_several(queue_server):
    server = queue_server("gzip", answers=[IDLE, BUSY, IDLE], key="mine-and-only-mine")
    assert [pending(server) for _ in range(4)] == [[], SEEN, [], []]

def test_two_servers_at_once(queue_server):
    assert [pending(queue_server(answers=each)) for each in (IDLE, BUSY)] == [[], SEEN]
""",
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_fresh_answers_come_again_from_their_seed_and_differ_from_others(tmp_path: Path) -> None:
    done = project(
        tmp_path,
        """
def reads(server):
    return [pending(server) for _ in range(12)]

def test_fresh(queue_server):
    first, again, other = (reads(queue_server(generate=seed)) for seed in (7, 7, 8))
    assert first == again != other
    assert len({str(each) for each in first}) > 6
""",
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_a_server_is_closed_with_its_test(tmp_path: Path) -> None:
    done = project(
        tmp_path,
        """
import urllib.error
KEPT = []

def test_opens(queue_server):
    KEPT.append(queue_server())
    pending(KEPT[0])

def test_is_closed():
    with pytest.raises(urllib.error.URLError):
        pending(KEPT[0])
""",
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


WRONG = {
    'fault="comfyui-odrer"': "no fault 'comfyui-odrer': did you mean comfyui-order?; --list shows all",
    '"klingon"': "no variant 'klingon'; --list shows all",
    "answers=[]": "answers is empty",
    "answers=b'', generate=1": "answers and generate contradict each other",
    'fault="comfyui-order", generate=1': "--fault comfyui-order cannot be combined with --generate",
    '"ties", answers=b""': "variant ties cannot be combined with answers",
}


def test_what_cannot_be_served_is_told_in_a_line(tmp_path: Path) -> None:
    tests = "".join(f"def test_{n}(queue_server):\n    queue_server({call})\n\n" for n, call in enumerate(WRONG))
    done = project(tmp_path, tests)
    assert f"{len(WRONG)} failed" in done.stdout, done.stdout + done.stderr
    for call, line in WRONG.items():
        assert line in done.stdout, call


def test_nothing_is_there_without_being_asked_for(tmp_path: Path) -> None:
    done = project(tmp_path, "def test_it(queue_server):\n    pass\n", conftest="")
    assert "fixture 'queue_server' not found" in done.stdout


def test_the_suite_itself_can_be_run_beside_it(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    done = suite(tmp_path, *QUIET)
    assert done.returncode == pytest.ExitCode.OK, done.stdout + done.stderr
    assert "\nConformant: no must clause broken, " in done.stdout


FEW_EXAMPLES = """
from hypothesis import settings

settings.register_profile("few", max_examples=2)
settings.load_profile("few")
"""


def test_the_examples_for_authors_of_clients_run_as_they_stand(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "clients.md").read_text(encoding="utf-8")
    files = re.findall(r"^```python\n# (\S+)\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert [name for name, _ in files] == ["conftest.py", "test_client.py", "test_parser.py"]
    for name, text in files:
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "sitecustomize.py").write_text(FEW_EXAMPLES, encoding="utf-8")
    done = plain_pytest(tmp_path, *QUIET, ".", PYTHONPATH=str(tmp_path))
    assert "10 passed" in done.stdout, done.stdout + done.stderr
