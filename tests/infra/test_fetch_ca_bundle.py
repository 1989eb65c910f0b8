"""`make ca-bundle`, with our own server instead of Amazon's."""

import hashlib
import http.server
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cdk.compute.fetch_ca_bundle import AMAZON_ROOTS, main
from cdk.settings.load import parse_settings
from cdk.settings.rules import contradictions
from sandbox.cloud import free_port
from tests.infra.synthesized import ROOT, SECRETS


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """The directory that is served."""
    (tmp_path / "served").mkdir()
    return tmp_path / "served"


@pytest.fixture
def address(served: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=served)  # type: ignore[arg-type]  # as given

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def roots(served: Path) -> dict[str, str]:
    """Files of public authorities beside the bundle; the SHA-256 of each one's public key."""
    fingerprints = {}
    for name in ("root1.pem", "root2.pem"):
        trustme.CA().cert_pem.write_to_path(served / name)
        fingerprints[name] = fingerprint_of((served / name).read_bytes())
    return fingerprints


def fingerprint_of(pem: bytes) -> str:
    key = x509.load_pem_x509_certificate(pem).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def authorities(count: int) -> str:
    """Return the certificates of so many new authorities."""
    return "".join(trustme.CA().cert_pem.bytes().decode() for _ in range(count))


def test_the_fetched_bundle_has_both_authorities_and_is_accepted_by_the_settings(
    address: str,
    served: Path,
    roots: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundle = authorities(3)
    (served / "bundle.pem").write_text(bundle)
    file = tmp_path / "build" / "ca-bundle.pem"

    assert main(f"{address}/bundle.pem", address, file, roots) == 0

    assert file.read_text() == bundle + "".join((served / name).read_text() for name in roots)
    assert list(file.parent.iterdir()) == [file]
    assert capsys.readouterr().out.startswith(
        f"{file}: 3 certificates for RDS and Aurora, 2 for RDS Proxy."
    )
    settings = parse_settings({**SECRETS, "ca_bundle": str(file)}, "staging")
    assert list(contradictions(settings)) == []


@pytest.mark.parametrize("content", ["<html>Blocked by your company</html>", "", "é", "cut"])
def test_what_is_not_a_bundle_does_not_replace_one(
    address: str, served: Path, tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content == "cut":
        content = authorities(2)[:-60]
    (served / "bundle.pem").write_text(content)
    file = tmp_path / "ca-bundle.pem"
    file.write_text("the old one")

    assert main(f"{address}/bundle.pem", address, file, {}) == 1

    assert file.read_text() == "the old one"
    assert f"No certificates came from {address}/bundle.pem: " in capsys.readouterr().err


@pytest.mark.parametrize("where", ["missing", "nobody listens"])
def test_an_address_without_a_bundle_is_named(
    address: str, where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"{address}/none.pem" if where == "missing" else f"http://127.0.0.1:{free_port()}/x"
    assert main(url, address, tmp_path / "ca-bundle.pem", {}) == 1
    assert f"No certificates came from {url}: " in capsys.readouterr().err


def test_a_public_authority_with_another_key_than_amazon_s_is_refused(
    address: str,
    served: Path,
    roots: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (served / "bundle.pem").write_text(authorities(1))
    trustme.CA().cert_pem.write_to_path(served / "root2.pem")
    file = tmp_path / "ca-bundle.pem"

    assert main(f"{address}/bundle.pem", address, file, roots) == 1

    said = capsys.readouterr().err
    assert f"No certificates came from {address}/root2.pem: its public key is not Amazon's" in said
    assert not file.exists()


def test_the_fingerprints_are_those_of_the_authorities_that_everybody_trusts() -> None:
    # certifi has Mozilla's list, which contains Amazon's roots.
    listed = re.findall(
        r'^# Label: "(Amazon Root CA \d)"$.*?^(-----BEGIN.*?END CERTIFICATE-----)$',
        Path(certifi.where()).read_text(),
        re.MULTILINE | re.DOTALL,
    )
    assert {fingerprint_of(pem.encode()): label for label, pem in listed} == {
        key: f"Amazon Root CA {name.removesuffix('.pem')[-1]}" for name, key in AMAZON_ROOTS.items()
    }


def test_make_fetches_amazon_s_into_a_folder_that_git_ignores() -> None:
    planned = subprocess.run(
        # Any make; under another make it would also print its directory.
        ["make", "--no-print-directory", "--dry-run", "ca-bundle"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert planned.stdout.rstrip().endswith(
        "python -m cdk.compute.fetch_ca_bundle"
        " https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
        " https://www.amazontrust.com/repository build/ca-bundle.pem"
    )
    assert "build/" in (ROOT / ".gitignore").read_text().splitlines()
