"""ListCognitoUsers's environment variables; CDK sets them by the same class."""

from dataclasses import dataclass
from typing import Annotated

from common.settings import Form, LambdaEnvironment, OptionalText, Text
from list_cognito_users.rate import parse_rate


@dataclass(frozen=True, kw_only=True)
class ListCognitoUsersEnvironment(LambdaEnvironment):
    """The pool, if one is configured, the bucket, and the ListUsers requests a second."""

    exchange_bucket: Text
    cognito_user_pool_id: OptionalText = None
    # Of the quota's 30 requests a second: the application needs some as well.
    list_users_rps: Annotated[float, Form(parse_rate, "{:g}".format)] = 20.0
