"""The certificates that the databases' own must be signed by, shipped beside the code."""

import shutil
import tempfile
from pathlib import Path

from aws_cdk import aws_lambda
from constructs import Construct

FILE = "database-ca.pem"


class CaBundle(aws_lambda.LayerVersion):
    """A layer of one file: a new bundle changes neither the code nor its dependencies."""

    path = f"/opt/{FILE}"  # where Lambda unpacks it

    def __init__(self, scope: Construct, id_: str, *, file: str) -> None:
        """Create the layer from a PEM file."""
        with tempfile.TemporaryDirectory() as directory:
            shutil.copy(file, Path(directory) / FILE)
            super().__init__(
                scope,
                id_,
                description="Certificates that staging-sync's databases must be signed by",
                code=aws_lambda.Code.from_asset(directory),
            )
