"""Deploys the CDK app to the local AWS with the real CDK CLI."""

import json
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cdk.compute.dependencies import Platform, build_layer
from sandbox.cloud import ACCOUNT, AWS_VENV_BIN, PROJECT, REGION, LocalAws
from sandbox.processes import Command, clean_environment, run

# The version is only in the Makefile.
_CDK_LINE = re.compile(r"^CDK := (npx .*)$", re.MULTILINE)
CDK = (*_CDK_LINE.findall((PROJECT / "Makefile").read_text())[0].split(), "--no-notices")
ENVIRONMENT = "sandbox"
STACK = f"staging-sync-{ENVIRONMENT}"


def build_host_layer() -> Path:
    """Return a layer for this machine and the local AWS's interpreter; build it if necessary.

    Raises:
        SandboxError: pip failed; the message has the end of its log.
    """
    host = Platform(
        "host",
        ("--only-binary=:all:",),
        python=AWS_VENV_BIN / "python",
        version=f"{AWS_VENV_BIN} {sys.version}",
    )
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "pip.log"
        return build_layer(
            host, run=lambda command: run(Command(command, PROJECT, os.environ, log))
        )


def deploy(
    cloud: LocalAws,
    settings: Mapping[str, Any],
    directory: Path,
    *,
    environment: str = ENVIRONMENT,
    is_bootstrapped: bool = False,
) -> None:
    """Deploy the stack of an environment to the local AWS, or update it, with the real CDK CLI.

    Args:
        cloud: the local AWS.
        settings: the environment's block of cdk.json.
        directory: a directory for the CLI's files that does not exist yet.
        environment: the environment's name, which is part of the stack's name.
        is_bootstrapped: whether the account is already prepared for CDK.

    Raises:
        SandboxError: synthesis or deployment failed; the message has the end of the CLI's log.
    """
    app, elsewhere, temporary = (directory / name for name in ("app", "elsewhere", "tmp"))
    for path in (app, elsewhere, temporary):
        path.mkdir(parents=True)
    program = f"{sys.executable} -m cdk.app"
    context = {"environments": {environment: dict(settings)}, "environment": environment}
    (app / "cdk.json").write_text(json.dumps({"app": program, "context": context}))
    variables = clean_environment(temporary) | cloud.environment

    def cdk(verb: str, *arguments: str, where: Path) -> Command:
        log = directory / f"{verb}.log"
        return Command([*CDK, verb, *arguments], where, variables, log)

    if is_bootstrapped:
        assembly: tuple[str, ...] = ()  # `cdk deploy` synthesizes
    else:
        run(cdk("--version", where=app))  # downloads it once for the two that follow
        run(
            # In a folder without a cdk.json, bootstrapping does not synthesize the app.
            cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}", where=elsewhere),
            cdk("synth", "--quiet", where=app),
        )
        assembly = ("--app", str(app / "cdk.out"))
    stack = f"staging-sync-{environment}"
    run(cdk("deploy", stack, *assembly, "--require-approval", "never", where=app))
