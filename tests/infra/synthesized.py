"""A synthesized stack, asked in words: resources by type or path, never by a generated name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import App

from app import add_stack

ROOT = Path(__file__).parents[2]
SECRETS = {
    "prod_secret_arn": "arn:aws:secretsmanager:eu-west-1:444455556666:secret:shop/prod-AbCdEf",
    "staging_secret_arn": (
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop/staging-GhIjKl"
    ),
}
EXAMPLE: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Synthesized:
    """A template and the assembly that it lies in."""

    template: Json
    assembly: Path

    def resources(self, kind: str) -> list[Json]:
        """Return the properties of every resource of a type, like AWS::S3::Bucket."""
        return [
            resource["Properties"]
            for resource in self.template["Resources"].values()
            if resource["Type"] == kind
        ]

    def only(self, kind: str) -> Json:
        """Return the properties of the one resource of a type."""
        (resource,) = self.resources(kind)
        return resource

    def function(self, package: str) -> Json:
        """Return the properties of the Lambda that runs a package."""
        (function,) = (
            function
            for function in self.resources("AWS::Lambda::Function")
            if function["Handler"] == f"{package}.handler.handler"
        )
        return function

    def variables(self, package: str) -> Json:
        """Return a Lambda's environment variables."""
        variables: Json = self.function(package)["Environment"]["Variables"]
        return variables

    def definition(self) -> Json:
        """Return the state machine's definition as it is deployed, placeholders and all."""
        key = self.only("AWS::StepFunctions::StateMachine")["DefinitionS3Location"]["Key"]
        definition: Json = json.loads((self.assembly / f"asset.{key}").read_text())
        return definition

    def asset(self, key: str) -> Path:
        """Return the directory that is zipped and uploaded under a key."""
        return self.assembly / f"asset.{key.removesuffix('.zip')}"

    def text(self, value: Any) -> str:
        """Return a value as text: `<construct path.attribute>` for what deployment fills in."""
        match value:
            case str():
                return value
            case {"Ref": name}:
                return f"<{self._path(name)}>"
            case {"Fn::GetAtt": [name, attribute]}:
                return f"<{self._path(name)}.{attribute}>"
            case {"Fn::Join": [separator, parts]}:
                return str(separator).join(self.text(part) for part in parts)
        raise AssertionError(f"not a text: {value}")

    def _path(self, name: str) -> str:
        resource = self.template["Resources"].get(name)
        if resource is None:
            return name  # a pseudo parameter, like AWS::Partition
        path: str = resource["Metadata"]["aws:cdk:path"]
        return path.split("/", 1)[1].removesuffix("/Resource")

    def paths(self, kind: str) -> dict[str, Json]:
        """Return the properties of every resource of a type, by its path in the stack."""
        return {
            self._path(name): resource["Properties"]
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind
        }


def synthesize(assembly: Path, settings: Mapping[str, Any]) -> Synthesized:
    """Synthesize the stack of an environment "staging" with these settings.

    Raises:
        SettingsError: a setting is wrong.
        RuntimeError: cdk-nag or CDK's own validation found something.
    """
    app = App(
        outdir=str(assembly),
        context={
            "environments": {"staging": settings},
            "aws:cdk:enable-path-metadata": True,
            "@aws-cdk/core:validationReportPrettyPrint": False,
        },
    )
    stack = add_stack(app)
    app.synth()
    template = json.loads((assembly / stack.template_file).read_text())
    return Synthesized(template, assembly)
