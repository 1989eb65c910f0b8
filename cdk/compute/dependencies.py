"""Installs the Lambdas' dependencies into a directory, as a layer has them, without Docker."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON_VERSION = "3.13"
# pip's own records differ from one build to the next, and so would the asset's hash.
NOISE = ("bin", "**/__pycache__", "*.dist-info/RECORD", "*.dist-info/direct_url.json")

type RunPip = Callable[[Sequence[str]], None]


@dataclass(frozen=True, slots=True)
class Platform:
    """Where a layer is loaded.

    `name` is part of the directory's name. pip chooses among the wheels that the options `wheels`
    allow, for the interpreter `python`, by default this one. `version` names anything else that its
    choice depends on.
    """

    name: str
    wheels: tuple[str, ...]
    python: Path | None = None
    version: str = ""


# The older tag is listed for packages whose wheels have no newer one.
LAMBDA = Platform(
    "arm64",
    (
        "--platform=manylinux_2_28_aarch64",
        "--platform=manylinux2014_aarch64",
        "--implementation=cp",
        f"--python-version={PYTHON_VERSION}",
        "--only-binary=:all:",
    ),
)


@dataclass(frozen=True, slots=True)
class Sources:
    """The files with the dependencies and their versions."""

    pyproject: Path = ROOT / "pyproject.toml"
    constraints: Path = ROOT / "constraints.txt"


class LayerError(Exception):
    """The layer could not be built; pip has said why on standard error."""


def run_pip(command: Sequence[str]) -> None:
    """Run pip, which prints to standard error.

    Raises:
        LayerError: it failed.
    """
    pip = subprocess.run(command, check=False, stdout=sys.stderr)  # noqa: S603 - it is ours
    if pip.returncode != 0:
        raise LayerError(
            "The dependency layer could not be built: pip failed, see above. It needs a package"
            " index, and wheels for Lambda's platform of all that constraints.txt pins."
        )


def build_layer(
    platform: Platform = LAMBDA,
    build: Path = ROOT / "build",
    *,
    sources: Sources = Sources(),
    run: RunPip = run_pip,
) -> Path:
    """Return the layer's directory, built if it is not there yet; it contains `python/`.

    Its name contains a hash of what goes in, so it is built again only when that changes. It
    appears by a rename, so that it is complete, and builds at the same time do no harm.

    Args:
        platform: what it is built for.
        build: the directory for all layers.
        sources: the dependency group "layer" of the one, at the versions of the other.
        run: how pip is run. It raises an error where pip fails.
    """
    layer = build / f"layer-{platform.name}-{_hash(platform, sources)}"
    if layer.exists():
        return layer
    build.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build, prefix="layer-unfinished-") as unfinished:
        fresh = Path(unfinished) / layer.name
        run(_install_command(platform, sources, fresh / "python"))
        _remove_noise(fresh / "python")
        try:
            fresh.rename(layer)
        except OSError:
            if not layer.exists():  # else another build was faster, and its result is the same
                raise
    return layer


def _hash(platform: Platform, sources: Sources) -> str:
    digest = hashlib.sha256(f"{platform.wheels!r}{platform.version}".encode())
    for source in (sources.pyproject, sources.constraints):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def _install_command(platform: Platform, sources: Sources, target: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "pip"),
        *(("--python", str(platform.python)) if platform.python else ()),
        *("install", "--quiet", "--no-compile", "--disable-pip-version-check"),
        *("--target", str(target), *platform.wheels),
        *("--constraint", str(sources.constraints), "--group", f"{sources.pyproject}:layer"),
    ]


def _remove_noise(target: Path) -> None:
    """Remove what the Lambdas never read."""
    for pattern in NOISE:
        for path in target.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
