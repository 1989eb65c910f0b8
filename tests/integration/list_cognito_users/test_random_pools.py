"""Any pool, with any pages, failures and number of invocations, is listed exactly."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from common.errors import CognitoUnavailable
from tests.integration.list_cognito_users.pools import DictExchange, Killed, Pool, direct_client
from tests.support.cognito_service import (
    DROPPED,
    INTERNAL_ERROR,
    THROTTLED,
    Call,
    CognitoService,
    Failure,
)
from tests.support.cognito_users import ListedUsers, User, make_user

if TYPE_CHECKING:
    pass

TOKEN_REFUSED = Failure("InvalidParameterException", "Invalid pagination token.")

USERS = st.lists(
    st.builds(
        make_user,
        st.uuids(version=4).map(str),
        st.sampled_from([None, "a@example.com", " A@Example.com\n", 'b"c,@example.com', "ä@ö.de"]),
        username=st.sampled_from(["Google_117", "jane", None]),
        status=st.sampled_from(["CONFIRMED", "UNCONFIRMED", "EXTERNAL_PROVIDER"]),
        enabled=st.booleans(),
        email_verified=st.sampled_from(["true", "false", None]),
    ),
    max_size=150,
    unique_by=lambda user: user["Attributes"][-1]["Value"],
)
PAGE_SIZES = st.lists(st.integers(0, 60), min_size=1, max_size=4).filter(any).map(tuple)
FAULTS = st.dictionaries(
    st.integers(1, 80), st.sampled_from([THROTTLED, INTERNAL_ERROR, DROPPED]), max_size=12
)
# No more refused tokens than a chain may have.
REFUSED = st.sets(st.integers(1, 80), max_size=2)
# For each invocation, how many requests it has time for, and whether it is killed after them. With
# time for one only, which a refused filter takes, no page is read, and that is an error.
INVOCATIONS = st.lists(st.tuples(st.integers(2, 60), st.booleans()), max_size=6)


@settings(max_examples=40, deadline=None)
@given(
    users=USERS,
    page_sizes=PAGE_SIZES,
    last_is_empty=st.booleans(),
    filters=st.sampled_from(["honoured", "honoured", "honoured", "refused", "ignored"]),
    faults=FAULTS,
    refused=REFUSED,
    invocations=INVOCATIONS,
)
def test_the_listing_is_exactly_the_pool(
    users: list[User],
    faults: Mapping[int, Failure],
    refused: set[int],
    invocations: list[tuple[int, bool]],
    **shape: Any,
) -> None:
    pool = make_pool(CognitoService(ListedUsers(list(users)), quota=float("inf"), **shape))
    pool.service.interfere = interfering(faults, refused)

    for requests, is_killed in [*invocations, *[(40, False)] * 60]:
        if invoke(pool, requests, is_killed=is_killed):
            break

    assert isinstance(pool.exchange, DictExchange)
    assert Counter(map(as_row, pool.exchange.listed())) == Counter(map(expected_row, users))


def invoke(pool: Pool, requests: int, *, is_killed: bool) -> bool:
    """List in one invocation; return whether the listing is done."""
    try:
        if is_killed:
            pool.list_and_be_killed(requests=requests)
        return pool.list(requests=requests).done
    except (Killed, CognitoUnavailable):
        return False


def interfering(
    faults: Mapping[int, Failure], refused: set[int]
) -> Callable[[Call], Failure | None]:
    def interfere(call: Call) -> Failure | None:
        if call.number in refused and call.has_token:
            return TOKEN_REFUSED
        return faults.get(call.number)

    return interfere


def make_pool(service: CognitoService) -> Pool:
    """Return a pool without HTTP and S3."""
    return Pool(service, direct_client(service), DictExchange())


def as_row(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(value for name, value in row.items() if name != "last_modified")


def expected_row(user: User) -> tuple[str, ...]:
    """Return the row that a user must have in the listing."""
    attributes = {each["Name"]: each["Value"] for each in user["Attributes"]}
    return (
        attributes.get("email", ""),
        attributes["sub"],
        user["Username"],
        user["UserStatus"],
        "true" if user["Enabled"] else "false",
        attributes.get("email_verified", ""),
    )
