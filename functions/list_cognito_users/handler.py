"""The ListCognitoUsers Lambda's entry."""

import dataclasses
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from common.aws.exchange import Exchange
from common.entry import entry_point
from common.errors import ConfigurationError
from common.event import Event
from list_cognito_users.environment import ListCognitoUsersEnvironment
from list_cognito_users.listing import list_users
from list_cognito_users.pool import UserPool
from list_cognito_users.rate import RateLimiter
from list_cognito_users.tuning import TUNING, Tuning

# Reserved for the requests under way, the last parts, the manifest and the response.
SECONDS_TO_SAVE = 30.0


def list_pool(event: Event, context: LambdaContext, tuning: Tuning = TUNING) -> dict[str, Any]:
    """List the user pool and return where the listing is stored; see `Listing`."""
    environment = ListCognitoUsersEnvironment.read()
    pool = UserPool.of(_pool_id(environment))
    exchange = Exchange.of(environment.exchange_bucket, event.execution)
    limiter = RateLimiter(environment.list_users_rps)

    def time_left() -> float:
        return context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_SAVE

    return dataclasses.asdict(list_users(pool, exchange, limiter, time_left, tuning))


handler = entry_point(list_pool)


def _pool_id(environment: ListCognitoUsersEnvironment) -> str:
    if environment.cognito_user_pool_id is None:
        raise ConfigurationError(
            "No Cognito user pool is configured: COGNITO_USER_POOL_ID is not set. Set user_pool_id"
            " in cdk.json and deploy again, or start the execution without sync_cognito and"
            " cognito_only."
        )
    return environment.cognito_user_pool_id
