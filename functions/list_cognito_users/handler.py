"""The ListCognitoUsers Lambda's entry."""

import dataclasses
import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from common import settings
from common.aws.exchange import Exchange
from common.entry import entry_point
from common.errors import ConfigurationError
from common.event import Event
from list_cognito_users.listing import list_users
from list_cognito_users.pool import UserPool
from list_cognito_users.rate import DEFAULT_RATE, RateLimiter, parse_rate

# Seconds kept back for requests that are under way, the last parts, the manifest and the reply.
MARGIN = 30.0


@entry_point
def handler(event: Event, context: LambdaContext) -> dict[str, Any]:
    """List the user pool and return where the listing lies; see `Listing`."""
    pool = UserPool.of(_pool_id())
    rate = parse_rate(settings.optional("LIST_USERS_RPS", DEFAULT_RATE))
    exchange = Exchange.of(settings.required("EXCHANGE_BUCKET"), event.execution)

    def time_left() -> float:
        return context.get_remaining_time_in_millis() / 1000 - MARGIN

    return dataclasses.asdict(list_users(pool, exchange, RateLimiter(rate), time_left))


def _pool_id() -> str:
    pool_id = os.environ.get("COGNITO_USER_POOL_ID", "")
    if not pool_id:
        raise ConfigurationError(
            "No Cognito user pool is configured: COGNITO_USER_POOL_ID is not set. Set user_pool_id"
            " in cdk.json and deploy again, or start the execution without sync_cognito and"
            " cognito_only."
        )
    return pool_id
