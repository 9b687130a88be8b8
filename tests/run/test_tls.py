"""Certificates: who is trusted, what is said of those who are not, and what is no certificate at all."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from conformance.cli import main
from conformance.reference.server import serve
from helpers.commands import left_behind, report, thrifty
from helpers.servers import before, listening

if TYPE_CHECKING:
    import trustme
from helpers.certificates import refusing, shown_by

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
HERE = "127.0.0.1"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return another()


def another() -> trustme.CA:
    """Return an authority that nobody trusts."""
    import trustme

    return trustme.CA()


@pytest.fixture(scope="module")
def plain() -> Iterator[int]:
    """Serve the reference endpoint on this port, without TLS."""
    with serve() as endpoint:
        yield endpoint.port


@pytest.fixture(autouse=True)
def folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def bundle(authority: trustme.CA, folder: Path) -> Path:
    path = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@contextmanager
def https(plain: int, context: ssl.SSLContext) -> Iterator[str]:
    with listening(before(plain), context) as port:
        yield f"https://{HERE}:{port}"


def check(url: str, *more: str | Path) -> Result:
    return CliRunner().invoke(main, thrifty(["check", url, *more]))


def is_inconclusive(result: Result, *told: str) -> None:
    """Assert that nothing was judged, and that the verdict says why."""
    assert result.exit_code == 10, result.output
    (verdict,) = [line for line in result.stdout.splitlines() if "INCONCLUSIVE" in line.upper()]
    for words in ("TLS: ", *told):
        assert words in verdict
    assert report(Path())["counts"]["exercised"] == 0


# --- who is trusted ---------------------------------------------------------------------------------------------------


def test_an_authority_that_is_given_is_trusted(authority: trustme.CA, plain: int, bundle: Path) -> None:
    with https(plain, shown_by(authority.issue_cert(HERE))) as url:
        result = check(url, "--ca-bundle", bundle)
    assert result.exit_code == 0, result.output
    assert report(Path())["run"]["options"]["insecure"] is False


def test_an_authority_that_nobody_knows_is_named_with_the_option_that_trusts_it(
    authority: trustme.CA, plain: int
) -> None:
    with https(plain, shown_by(authority.issue_cert(HERE))) as url:
        is_inconclusive(check(url), "unable to get local issuer certificate", "--ca-bundle")


def test_a_self_signed_certificate_is_told_like_an_unknown_authority(
    authority: trustme.CA, plain: int, folder: Path
) -> None:
    file = folder / "self-signed.pem"
    authority.private_key_pem.write_to_path(str(file))
    authority.cert_pem.write_to_path(str(file), append=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with https(plain, context) as url:
        is_inconclusive(check(url), "self-signed certificate", "--ca-bundle")


def test_another_authority_than_the_one_that_is_given_is_not_trusted(plain: int, bundle: Path) -> None:
    with https(plain, shown_by(another().issue_cert(HERE))) as url:
        is_inconclusive(check(url, "--ca-bundle", bundle), "--ca-bundle")


def test_an_expired_certificate_is_not_trusted(authority: trustme.CA, plain: int, bundle: Path) -> None:
    expired = authority.issue_cert(HERE, not_before=LONG_AGO, not_after=LONG_AGO + timedelta(days=1))
    with https(plain, shown_by(expired)) as url:
        is_inconclusive(check(url, "--ca-bundle", bundle), "certificate has expired", "--insecure")


def test_a_certificate_of_somebody_else_is_not_trusted(authority: trustme.CA, plain: int, bundle: Path) -> None:
    with https(plain, shown_by(authority.issue_cert("example.org"))) as url:
        is_inconclusive(check(url, "--ca-bundle", bundle), "IP address mismatch", HERE, "--insecure")
        by_name = check(url.replace(HERE, "localhost"), "--ca-bundle", bundle)
    is_inconclusive(by_name, "Hostname mismatch", "localhost", "--insecure")


def test_whoever_looks_away_is_answered_and_reminded_of_it(plain: int, folder: Path) -> None:
    with https(plain, shown_by(another().issue_cert("example.org"))) as url:
        result = check(url, "--insecure")
    assert result.exit_code == 0, result.output
    assert "certificates are not verified (--insecure)" in result.stderr
    assert "certificates were not verified" in result.stdout.splitlines()[0]
    for name in ("index.html", "summary.md"):
        shown = (folder / "reports/latest" / name).read_text(encoding="utf-8")
        assert "certificates were not verified" in shown.lower()
    assert report(Path())["run"]["options"]["insecure"] is True


# --- protocols --------------------------------------------------------------------------------------------------------


def test_a_server_that_speaks_old_protocols_alone_is_told_as_such(authority: trustme.CA, bundle: Path) -> None:
    context = shown_by(authority.issue_cert(HERE))
    context.set_ciphers("ALL:@SECLEVEL=0")  # else OpenSSL would not speak them itself
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the protocols: that is the point
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with refusing(context) as url:
        is_inconclusive(check(url, "--ca-bundle", bundle), "it supports neither TLS 1.2 nor 1.3")


# --- certificates of clients ------------------------------------------------------------------------------------------


def demanding(authority: trustme.CA, version: ssl.TLSVersion) -> ssl.SSLContext:
    """Return the context of a server for those alone who show a certificate of the authority."""
    context = shown_by(authority.issue_cert(HERE))
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = context.maximum_version = version
    authority.configure_trust(context)
    return context


def mine(authority: trustme.CA, file: Path) -> Path:
    authority.issue_cert("me.example.org").private_key_and_cert_chain_pem.write_to_path(str(file))
    return file


VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@VERSIONS
def test_a_gateway_that_wants_a_certificate_is_shown_the_one_that_is_given(
    authority: trustme.CA, plain: int, version: ssl.TLSVersion, bundle: Path, folder: Path
) -> None:
    with https(plain, demanding(authority, version)) as url:
        result = check(url, "--ca-bundle", bundle, "--client-cert", mine(authority, folder / "me.pem"))
    assert result.exit_code == 0, result.output
    assert "PRIVATE KEY" not in result.output + left_behind(folder)


@VERSIONS
def test_a_gateway_that_is_shown_no_certificate_judges_nobody(
    authority: trustme.CA, plain: int, version: ssl.TLSVersion, bundle: Path
) -> None:
    with https(plain, demanding(authority, version)) as url:
        result = check(url, "--ca-bundle", bundle)
    assert result.exit_code == 10, result.output
    assert report(Path())["counts"]["exercised"] == 0


# With TLS 1.3 the refusal comes after the handshake, and the connection may be reset before it is read.


def test_a_certificate_that_is_missing_is_named_with_its_option(authority: trustme.CA, bundle: Path) -> None:
    with refusing(demanding(authority, ssl.TLSVersion.TLSv1_2)) as url:
        is_inconclusive(check(url, "--ca-bundle", bundle), "or a client certificate is missing: --client-cert")


def test_a_certificate_of_an_unknown_authority_is_told_as_such(
    authority: trustme.CA, bundle: Path, folder: Path
) -> None:
    strange = mine(another(), folder / "strange.pem")
    with refusing(demanding(authority, ssl.TLSVersion.TLSv1_2)) as url:
        result = check(url, "--ca-bundle", bundle, "--client-cert", strange)
    is_inconclusive(result, "it does not trust the issuer of the certificate in --client-cert")


# --- files ------------------------------------------------------------------------------------------------------------

GARBAGE = b"-----BEGIN CERTIFICATE-----\nno base64\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("flag", ["--ca-bundle", "--client-cert"])
@pytest.mark.parametrize("content", [None, b"", b"\x00\xff\xfe", GARBAGE], ids=["missing", "empty", "bytes", "garbage"])
def test_what_is_no_certificate_is_one_line_and_4(flag: str, content: bytes | None, folder: Path) -> None:
    file = folder / "file.pem"
    if content is not None:
        file.write_bytes(content)
    is_refused(check("https://127.0.0.1:1", flag, file), flag, str(file))


@pytest.mark.parametrize("flag", ["--ca-bundle", "--client-cert"])
def test_a_folder_is_no_certificate(flag: str, folder: Path) -> None:
    is_refused(check("https://127.0.0.1:1", flag, folder), flag, "Is a directory")


def test_a_certificate_without_its_key_is_one_line_and_4(bundle: Path) -> None:
    is_refused(check("https://127.0.0.1:1", "--client-cert", bundle), "--client-cert", "with its key")


def test_the_key_of_another_certificate_is_one_line_and_4(authority: trustme.CA, folder: Path) -> None:
    file = folder / "mixed.pem"
    authority.issue_cert("a.example.org").private_key_pem.write_to_path(str(file))
    authority.issue_cert("b.example.org").cert_chain_pems[0].write_to_path(str(file), append=True)
    is_refused(check("https://127.0.0.1:1", "--client-cert", file), "--client-cert", "with its key")


def test_a_key_alone_is_no_authority(authority: trustme.CA, folder: Path) -> None:
    file = folder / "key.pem"
    authority.private_key_pem.write_to_path(str(file))
    is_refused(check("https://127.0.0.1:1", "--ca-bundle", file), "--ca-bundle")


def is_refused(result: Result, *told: str) -> None:
    """Assert that it is one line that says what is wrong, and that there is no report."""
    assert result.exit_code == 4, result.output
    assert result.stdout == ""
    (line,) = [line for line in result.stderr.splitlines() if not line.startswith(("checking ", "then "))]
    assert line.startswith("error: ")
    for words in told:
        assert words in line
    assert not list(Path().glob("reports/*/*"))
