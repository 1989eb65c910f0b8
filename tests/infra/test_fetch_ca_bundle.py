"""`make ca-bundle`, with a server of our own in the place of Amazon's."""

import http.server
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from contradictions import contradictions
from environment import parse_settings
from fetch_ca_bundle import main
from sandbox.certificates import Authority
from sandbox.cloud import free_port
from tests.infra.synthesized import ROOT, SECRETS


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """The directory that the server shows."""
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


def authorities(directory: Path, count: int) -> str:
    files = [Authority.create(f"CA {n}").write(directory / f"{n}.pem") for n in range(count)]
    return "".join(file.read_text() for file in files)


def test_the_bundle_that_is_fetched_is_one_that_the_settings_take(
    address: str, served: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = authorities(tmp_path, 3)
    (served / "bundle.pem").write_text(bundle)
    file = tmp_path / "build" / "ca-bundle.pem"

    assert main(f"{address}/bundle.pem", file) == 0

    assert file.read_text() == bundle
    assert list(file.parent.iterdir()) == [file]
    assert capsys.readouterr().out.startswith(f"{file}: 3 certificates.")
    settings = parse_settings({**SECRETS, "ca_bundle": str(file)}, "staging")
    assert list(contradictions(settings)) == []


@pytest.mark.parametrize("content", ["<html>Blocked by your company</html>", "", "é", "cut"])
def test_what_is_no_bundle_does_not_take_the_place_of_one(
    address: str,
    served: Path,
    tmp_path: Path,
    content: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if content == "cut":
        content = authorities(tmp_path, 2)[:-60]
    (served / "bundle.pem").write_text(content)
    file = tmp_path / "ca-bundle.pem"
    file.write_text("the old one")

    assert main(f"{address}/bundle.pem", file) == 1

    assert file.read_text() == "the old one"
    assert f"No certificates came from {address}/bundle.pem: " in capsys.readouterr().err


@pytest.mark.parametrize("where", ["missing", "nobody listens"])
def test_an_address_that_has_none_is_named(
    address: str, where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"{address}/none.pem" if where == "missing" else f"http://127.0.0.1:{free_port()}/x"
    assert main(url, tmp_path / "ca-bundle.pem") == 1
    assert f"No certificates came from {url}: " in capsys.readouterr().err


def test_make_fetches_amazon_s_into_a_folder_that_git_ignores() -> None:
    planned = subprocess.run(
        # Whatever make there is; one that runs below another would say where it is, too.
        ["make", "--no-print-directory", "--dry-run", "ca-bundle"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert planned.stdout.rstrip().endswith(
        "python cdk/fetch_ca_bundle.py"
        " https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem build/ca-bundle.pem"
    )
    assert "build/" in (ROOT / ".gitignore").read_text().splitlines()
