"""Lists of endpoints as spreadsheets, editors and shells write them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Final

import pytest

from conformance.fleet.sources import source_of
from conformance.problems import UsageProblem
from conformance.run.targets import read
from helpers.cli_runner import call

CASES: Final = Path(__file__).parents[1] / "cases" / "lists"
TOML: Final = '[[target]]\nname = "one"\nurl = "http://127.0.0.1:1"\n'
ENCODINGS: Final = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
TABLES: Final = {
    "commas": "url,name\r\nhttp://127.0.0.1:1,one\r\n",
    "semicolons": "url;name\r\nhttp://127.0.0.1:1;one\r\n",
    "tabs": "name\turl\none\thttp://127.0.0.1:1\n",
    "capitals": "Name;URL\none;http://127.0.0.1:1",
    "quotes": '"url";"name"\n"http://127.0.0.1:1";"one"\n',
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_read_whatever_wrote_it(table: str, encoding: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(TABLES[table].encode(encoding))
    with source_of(str(tmp_path / "x.csv"), BytesIO()) as source:
        assert [(target.name, target.url) for target in source] == [("one", "http://127.0.0.1:1")]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_targets_and_urls_are_read_in_any_unicode(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "targets.toml").write_bytes(TOML.encode(encoding))
    (tmp_path / "urls.txt").write_bytes("# mine\nhttp://127.0.0.1:1\n\n".encode(encoding))
    assert [target.name for target in read(tmp_path / "targets.toml")] == ["one"]
    for name in ("targets.toml", "urls.txt"):
        with source_of(str(tmp_path / name), BytesIO()) as source:
            assert [target.url for target in source] == ["http://127.0.0.1:1"]


def test_a_file_in_another_encoding_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"url;name\nhttp://127.0.0.1:1;caf\xe9\n")
    with (
        source_of(str(tmp_path / "x.csv"), BytesIO()) as source,
        pytest.raises(UsageProblem, match="is not valid UTF-8"),
    ):
        list(source)
    (tmp_path / "x.csv").write_bytes("url\nhttp://127.0.0.1:1\n".encode("utf-16") + b"\0")
    with (
        source_of(str(tmp_path / "x.csv"), BytesIO()) as source,
        pytest.raises(UsageProblem, match="is not valid UTF-16"),
    ):
        list(source)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("f01b_excel_semicolon.csv", "  Not reached: 1: one\n"),
        ("f01d_urls_utf16.txt", "  Not reached: 1: http://127.0.0.1:18960\n"),
    ],
)
def test_many_targets_are_checked_from_a_list(name: str, told: str, tmp_path: Path) -> None:
    listed = (CASES / name).read_bytes()
    (tmp_path / name).write_bytes(listed.replace(b"18960", b"1").replace("18960".encode("utf-16-le"), b"1\0"))
    result = call(
        *("check", "--all", tmp_path / name, "--connect-timeout=1", "--report-dir", tmp_path / "out", "--properties=0")
    )
    assert result.exit_code == 10
    assert told.replace("18960", "1") in result.stdout


def test_a_byte_order_mark_is_skipped_before_what_is_wrong_is_said() -> None:
    result = call("check", "--all", CASES / "f02_targets_bom.toml")
    assert result.exit_code == 4
    assert "unknown key 'targets': did you mean target?" in result.stderr
