"""Listing a simulated pool: the Lambda, compared with boto3's paginator."""

import time
from dataclasses import dataclass

from list_cognito_users.pool import USERS_PER_PAGE
from tests.bench.cognito.lambdas import Account, Invocation
from tests.support.cognito_server import Server, separate_process
from tests.support.cognito_service import QUOTA

LATENCY = 0.1  # seconds of a call
# The paginator takes 0.1 s for each page, so that measuring it for one size of pool is enough.
PAGED = 100_000
MAX_INVOCATIONS = 20


@dataclass(frozen=True, slots=True)
class ListingOutcome:
    """How a pool of `users` was listed, in all invocations together.

    `requests_per_second` is what reached Cognito; `paginator_seconds` is None if it was not
    measured.
    """

    users: int
    rate: float
    seconds: float
    requests_per_second: float
    throttled: int
    invocations: int
    peak_memory: int
    paginator_seconds: float | None


def measure_listing(account: Account, users: int, rate: float, budget: float) -> ListingOutcome:
    """List a pool of so many users.

    Args:
        account: where the listing is written to.
        users: the pool's size.
        rate: LIST_USERS_RPS.
        budget: seconds of one invocation.

    Raises:
        RuntimeError: the listing does not hold exactly the pool's users.
    """
    with separate_process(users=users, latency=LATENCY, quota=QUOTA) as cognito:
        event = {"execution": f"listing-{users}", "input": {"cognito_only": True}}
        environment = {
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": cognito.url,
            "AWS_DEFAULT_REGION": cognito.pool_id.split("_")[0],
            "COGNITO_USER_POOL_ID": cognito.pool_id,
            "LIST_USERS_RPS": f"{rate:g}",
        }
        invocations: list[Invocation] = []
        while not invocations or not invocations[-1].output["done"]:
            if len(invocations) == MAX_INVOCATIONS:
                raise RuntimeError(f"{users} users: not done after {MAX_INVOCATIONS} invocations")
            invocations.append(
                account.invoke("list_cognito_users", event, seconds=budget, environment=environment)
            )
        listed = invocations[-1].output["users"]
        if listed != users:
            raise RuntimeError(f"The pool has {users} users, but the listing has {listed}")
        statistics = cognito.statistics()
        paged = _page(cognito, users) if users == PAGED else None
    return ListingOutcome(
        users=users,
        rate=rate,
        seconds=sum(invocation.seconds for invocation in invocations),
        requests_per_second=statistics["requests"] / statistics["seconds"],
        throttled=statistics["throttled"],
        invocations=len(invocations),
        peak_memory=max(invocation.peak_memory for invocation in invocations),
        paginator_seconds=paged,
    )


def _page(cognito: Server, users: int) -> float:
    """Return the seconds that boto3's paginator takes to read a pool, page by page."""
    paginator = cognito.client().get_paginator("list_users")
    started = time.monotonic()
    pages = paginator.paginate(
        UserPoolId=cognito.pool_id, PaginationConfig={"PageSize": USERS_PER_PAGE}
    )
    read = sum(len(page["Users"]) for page in pages)
    if read != users:
        raise RuntimeError(f"The pool has {users} users, and the paginator read {read}")
    return time.monotonic() - started
