"""The Lambdas' layers: their dependencies, built by pip without Docker, and certificates."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
CA_FILE = "database-ca.pem"
SOURCES = (ROOT / "pyproject.toml", ROOT / "constraints.txt")
PYTHON_VERSION = "3.13"
# Only wheels for the platform are taken. The older tag is listed for wheels that carry no newer.
PIP_PLATFORM = (
    "--platform=manylinux_2_28_aarch64",
    "--platform=manylinux2014_aarch64",
    "--implementation=cp",
    f"--python-version={PYTHON_VERSION}",
    "--only-binary=:all:",
)
# pip's own book-keeping differs from one build to the next, and so would the asset's hash.
NOISE = ("bin", "**/__pycache__", "*.dist-info/RECORD", "*.dist-info/direct_url.json")


class LayerError(Exception):
    """The layer could not be built; pip has said why on standard error."""


class DependencyLayer(lambda_.LayerVersion):
    """The dependency group "layer" of pyproject.toml, or a directory that is built already."""

    def __init__(self, scope: Construct, id_: str, *, layer_dir: str | None) -> None:
        """Build the layer unless it is given.

        Args:
            scope: the parent.
            id_: the construct's id.
            layer_dir: a directory that holds `python/`; without one it is built here.
        """
        super().__init__(
            scope,
            id_,
            description="Dependencies of staging-sync's Lambdas",
            code=lambda_.Code.from_asset(layer_dir or str(build_layer())),
            # A layer that was built elsewhere fits whatever that place says it fits.
            compatible_architectures=None if layer_dir else [lambda_.Architecture.ARM_64],
            compatible_runtimes=None if layer_dir else [lambda_.Runtime.PYTHON_3_13],
        )


class CaBundle(lambda_.LayerVersion):
    """A layer of one file: a new bundle changes neither the code nor its dependencies."""

    path = f"/opt/{CA_FILE}"  # where Lambda unpacks it

    def __init__(self, scope: Construct, id_: str, *, file: str) -> None:
        """Create the layer from a PEM file."""
        with tempfile.TemporaryDirectory() as directory:
            shutil.copy(file, Path(directory) / CA_FILE)
            super().__init__(
                scope,
                id_,
                description="Certificates that staging-sync's databases must be signed by",
                code=lambda_.Code.from_asset(directory),
            )


def build_layer(build: Path = BUILD) -> Path:
    """Return the directory of the layer for python3.13 on arm64, built if it is not there yet.

    Its name holds a hash of what goes in, so it is built again only when pyproject.toml or
    constraints.txt change. It appears by a rename, whole or not at all, so that two builds
    at the same time do no harm.

    Raises:
        LayerError: pip could not install what goes in.
    """
    digest = hashlib.sha256(repr(PIP_PLATFORM).encode())
    for source in SOURCES:
        digest.update(source.read_bytes())
    layer = build / f"layer-arm64-{digest.hexdigest()[:12]}"
    if layer.exists():
        return layer
    build.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build, prefix="layer-unfinished-") as unfinished:
        fresh = Path(unfinished) / layer.name
        _install(fresh / "python")
        try:
            fresh.rename(layer)
        except OSError:
            if not layer.exists():  # else another build was faster, and its result is the same
                raise
    return layer


def _install(target: Path) -> None:
    """Install the dependency group into a directory, without what the Lambdas never read."""
    pyproject, constraints = SOURCES
    pip = subprocess.run(  # noqa: S603 - every argument is written here
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"),
            *("--target", str(target), *PIP_PLATFORM),
            *("--constraint", str(constraints), "--group", f"{pyproject}:layer"),
        ],
        check=False,
        stdout=sys.stderr,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    if pip.returncode != 0:
        raise LayerError(
            "The dependency layer could not be built: pip failed, see above. It needs a package"
            " index, and wheels for Lambda's platform of all that constraints.txt pins."
        )
    for pattern in NOISE:
        for path in target.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
