"""The real layer, as Lambda on arm64 will load it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from cdk.compute.dependencies import LayerError, Platform, Sources, build_layer

EM_AARCH64 = 183  # e_machine, https://man7.org/linux/man-pages/man5/elf.5.html
E_MACHINE = slice(18, 20)


@pytest.fixture(scope="module")
def layer() -> Path:
    return build_layer() / "python"


def test_every_compiled_module_is_for_arm64(layer: Path) -> None:
    libraries = [path for path in layer.rglob("*") if ".so" in path.suffixes]
    assert libraries
    for library in libraries:
        header = library.read_bytes()[:20]
        assert header[:4] == b"\x7fELF", library.name
        assert int.from_bytes(header[E_MACHINE], "little") == EM_AARCH64, library.name


def test_psycopg2_is_compiled_for_the_runtime_s_python(layer: Path) -> None:
    extensions = [path.name for path in (layer / "psycopg2").glob("_psycopg*.so")]
    assert extensions == ["_psycopg.cpython-313-aarch64-linux-gnu.so"]


def test_the_layer_contains_what_the_lambdas_need_and_not_what_the_runtime_has(layer: Path) -> None:
    modules = {path.name.removesuffix(".py") for path in layer.iterdir()}
    assert {"psycopg2", "psycopg2_binary.libs", "aws_lambda_powertools"} <= modules
    assert not modules & {"boto3", "botocore", "bin", "__pycache__"}
    size = sum(path.stat().st_size for path in layer.rglob("*"))
    assert size < 50 * 2**20  # Lambda allows 250 MB for code and layers together


def test_the_layer_is_built_once(layer: Path) -> None:
    built = layer.stat().st_ctime_ns
    assert build_layer() / "python" == layer
    assert layer.stat().st_ctime_ns == built


def install_nothing(command: Sequence[str]) -> None:
    """Do what pip does first."""
    Path(command[command.index("--target") + 1]).mkdir(parents=True)


def test_other_versions_make_another_layer(tmp_path: Path) -> None:
    sources, build = Sources(constraints=tmp_path / "constraints.txt"), tmp_path / "build"
    sources.constraints.write_text("psycopg2-binary==2.9.13\n")
    first = build_layer(build=build, sources=sources, run=install_nothing)
    sources.constraints.write_text("psycopg2-binary==2.9.12\n")
    second = build_layer(build=build, sources=sources, run=install_nothing)
    assert first != second
    assert {path.name for path in build.iterdir()} == {first.name, second.name}


def test_another_platform_makes_another_layer_with_wheels_of_its_own(tmp_path: Path) -> None:
    commands: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> None:
        commands.append(command)
        install_nothing(command)

    wheels = ("--only-binary=:all:",)
    host = Platform("host", wheels, python=Path("/elsewhere/python"), version="3.13.1")
    layers = {
        build_layer(platform, tmp_path, run=run)
        for platform in (host, Platform("host", wheels, host.python, version="3.13.2"))
    }

    assert len(layers) == 2
    assert {layer.name.rpartition("-")[0] for layer in layers} == {"layer-host"}
    for command in commands:
        assert list(command[3:6]) == ["--python", "/elsewhere/python", "install"]
        assert not [argument for argument in command if argument.startswith("--platform")]


def test_a_layer_that_cannot_be_built_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = Sources(constraints=tmp_path / "constraints.txt")
    sources.constraints.write_text("psycopg2-binary==0.0.1\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(LayerError, match="pip failed"):
        build_layer(build=tmp_path / "build", sources=sources)
    assert list((tmp_path / "build").iterdir()) == []
