"""The real layer, as Lambda on arm64 will load it."""

from pathlib import Path

import pytest

from cdk.compute import layer as layer_module
from cdk.compute.layer import LayerError, build_layer

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


def test_the_layer_holds_what_the_lambdas_need_and_not_what_the_runtime_has(layer: Path) -> None:
    modules = {path.name.removesuffix(".py") for path in layer.iterdir()}
    assert {"psycopg2", "psycopg2_binary.libs", "aws_lambda_powertools"} <= modules
    assert not modules & {"boto3", "botocore", "bin", "__pycache__"}
    size = sum(path.stat().st_size for path in layer.rglob("*"))
    assert size < 50 * 2**20  # Lambda allows 250 MB for code and layers together


def test_the_layer_is_built_once(layer: Path) -> None:
    built = layer.stat().st_ctime_ns
    assert build_layer() / "python" == layer
    assert layer.stat().st_ctime_ns == built


def test_other_versions_make_another_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("psycopg2-binary==2.9.13\n")
    monkeypatch.setattr(layer_module, "SOURCES", (layer_module.SOURCES[0], constraints))
    monkeypatch.setattr(layer_module, "_install", lambda target: target.mkdir(parents=True))
    first = build_layer(tmp_path / "build")
    constraints.write_text("psycopg2-binary==2.9.12\n")
    second = build_layer(tmp_path / "build")
    assert first != second
    assert {path.name for path in (tmp_path / "build").iterdir()} == {first.name, second.name}


def test_a_layer_that_cannot_be_built_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("psycopg2-binary==0.0.1\n")
    monkeypatch.setattr(layer_module, "SOURCES", (layer_module.SOURCES[0], constraints))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(LayerError, match="pip failed"):
        build_layer(tmp_path / "build")
    assert list((tmp_path / "build").iterdir()) == []
