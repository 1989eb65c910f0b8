"""mypy follows every service of aws_cdk that is imported: another one's types would be Any."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("cdk", "sandbox", "tests")


def test_mypy_follows_every_service_that_is_imported() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (followed,) = (
        override["module"]
        for override in settings["tool"]["mypy"]["overrides"]
        if override["follow_imports"] == "normal"
    )
    found = {
        service
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("*.py")
        for service in services(ast.parse(file.read_text()))
    }
    assert "aws_cdk.aws_s3" in found
    assert found <= set(followed)
    assert {service.replace("aws_cdk.", "aws_cdk.interfaces.") for service in found} <= {*followed}


def services(module: ast.Module) -> Iterator[str]:
    """Return the services that a module imports."""
    for node in ast.walk(module):
        match node:
            case ast.ImportFrom(module="aws_cdk", names=names):
                yield from (f"aws_cdk.{each.name}" for each in names if each.name.islower())
            case ast.ImportFrom(module=str(name)) if name.startswith("aws_cdk."):
                yield name
            case ast.Import(names=names):
                yield from (each.name for each in names if each.name.startswith("aws_cdk."))
