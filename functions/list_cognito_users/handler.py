"""The ListCognitoUsers Lambda's entry."""

import dataclasses
import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from common import settings
from common.entry import entry_point
from common.errors import ConfigurationError
from common.event import Event
from common.exchange import Exchange
from list_cognito_users.listing import UserPool, list_users


@entry_point
def handler(event: Event, _context: LambdaContext) -> dict[str, Any]:
    """List the user pool and return where the listing lies; see `Listing`."""
    pool = UserPool.of(_pool_id())
    exchange = Exchange.of(settings.required("EXCHANGE_BUCKET"), event.execution)
    return dataclasses.asdict(list_users(pool, exchange))


def _pool_id() -> str:
    pool_id = os.environ.get("COGNITO_USER_POOL_ID", "")
    if not pool_id:
        raise ConfigurationError(
            "No Cognito user pool is configured: COGNITO_USER_POOL_ID is not set. Set user_pool_id"
            " in cdk.json and deploy again, or start the execution without sync_cognito and"
            " cognito_only."
        )
    return pool_id
