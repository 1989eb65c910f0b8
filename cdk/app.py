"""The CDK app: reads the settings, builds the stack, checks it. Run by `cdk`, see cdk.json."""

import os
import sys
from pathlib import Path

# CDK runs in Node.js. The one beside this interpreter needs no activated virtual environment and
# no other installation.
if (node := Path(sys.executable).with_name("node")).exists():
    os.environ.setdefault("JSII_NODE", str(node))

from aws_cdk import App, Environment, Validations
from cdk_nag import AwsSolutionsChecks

from cdk.compute.dependencies import LayerError
from cdk.settings.load import SettingsError, choose_environment
from cdk.stack import StagingSyncStack


def add_stack(app: App) -> StagingSyncStack:
    """Add the stack of the chosen environment to the app, and the checks on it.

    Raises:
        SettingsError: the app's context has no such environment, or a wrong setting.
        LayerError: the dependency layer could not be built.
    """
    name, settings = choose_environment(
        app.node.try_get_context("environments"), app.node.try_get_context("environment")
    )
    stack = StagingSyncStack(
        app,
        f"staging-sync-{name}",
        settings=settings,
        env=Environment(account=settings.account, region=settings.region),
    )
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return stack


def main() -> None:
    """Synthesize, or exit with 1 and a sentence about each thing that is wrong."""
    app = App()
    try:
        add_stack(app)
    except SettingsError as error:
        sys.exit(error.in_file("cdk.json"))
    except LayerError as error:
        sys.exit(str(error))
    app.synth()


if __name__ == "__main__":
    main()
