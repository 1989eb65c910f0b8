"""The Lambdas' layers: their dependencies, certificates, and rules that need more room."""

import shutil
import tempfile
from pathlib import Path

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk.compute.dependencies import build_layer

CA_FILE = "database-ca.pem"
RULES_FILE = "sync-rules.json"


class DependencyLayer(lambda_.LayerVersion):
    """The dependency group "layer" of pyproject.toml, or a directory that is built already."""

    def __init__(self, scope: Construct, id_: str, *, layer_dir: str | None) -> None:
        """Build the layer unless it is given.

        Args:
            scope: the parent.
            id_: the construct's id.
            layer_dir: a directory that contains `python/`; without one it is built here.
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


class RulesFile(lambda_.LayerVersion):
    """A layer of one file: the rules of a sync that have no room among its variables."""

    path = f"/opt/{RULES_FILE}"

    def __init__(self, scope: Construct, id_: str, *, rules: str) -> None:
        """Create the layer from the rules' text."""
        with tempfile.TemporaryDirectory() as directory:
            (Path(directory) / RULES_FILE).write_text(rules)
            super().__init__(
                scope,
                id_,
                description="The rules of staging-sync's sync",
                code=lambda_.Code.from_asset(directory),
            )
