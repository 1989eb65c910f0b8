"""`python -m sandbox.up`: a staging account to try things on, until Ctrl-C."""

import signal
import sys

from rich.console import Console

from sandbox.account import StagingAccount, staging_account
from sandbox.bookshop.masks import SYNC_RULES
from sandbox.cloud import AWS_VENV_BIN
from sandbox.deploy import ENVIRONMENT
from sandbox.pages import serving
from sandbox.processes import SandboxError
from sandbox.signals import ending_in_order


def main() -> int:
    """Run a staging account until a signal ends it.

    Returns:
        0 when Ctrl-C or SIGTERM ended it, 1 when it could not be started.
    """
    # Lines are not wrapped, so that they can be copied.
    console = Console(soft_wrap=True, highlight=False, markup=False)
    try:
        with (
            ending_in_order(),
            staging_account(sync_rules=SYNC_RULES, announce=console.print) as account,
            serving(account) as address,
        ):
            console.print(_instructions(account, address))
            signal.pause()
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left behind.")
    except SandboxError as error:
        Console(stderr=True, soft_wrap=True, markup=False).print(error)
        return 1
    return 0


def _instructions(account: StagingAccount, reports: str) -> str:
    """Return what to paste into another terminal."""
    exports = " ".join(f"{key}={value}" for key, value in account.cloud.environment.items())
    return f"""
A staging account is up. In another terminal, from this folder:

export PATH="{AWS_VENV_BIN}:{account.staging.server.bin_dir}:$PATH"
export {exports}

make start ENV={ENVIRONMENT} INPUT='{{"sync_cognito": true}}'
aws stepfunctions start-execution --state-machine-arn {account.state_machine_arn} \\
    --input '{{"sync_cognito": true}}'
aws stepfunctions list-executions --state-machine-arn {account.state_machine_arn}

Production: psql '{account.production.url}'
Staging:    psql '{account.staging.url}'
User pool:  {account.pools.staging.pool_id}
Files:      s3://{account.bucket}/executions/

The report of the last execution, in a browser: {reports}

AWS_ENDPOINT_URL={account.cloud.endpoint}
Ready. Ctrl-C stops everything."""


if __name__ == "__main__":
    sys.exit(main())
