"""How ListCognitoUsers divides a pool into chains of pages, and how many requests it needs."""

from typing import TYPE_CHECKING

import pytest

from tests.integration.list_cognito_users.pools import (
    Pool,
    listed_subs,
    read_rows,
    spread,
    subs_of,
    user,
)
from tests.support.cognito_users import DIGITS, ListedUsers, make_user

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.mark.parametrize("count", [0, 1, 20, 60])
def test_a_pool_of_one_page_costs_one_request_and_one_for_its_estimate(
    s3: "S3Client", pool: Pool, count: int
) -> None:
    pool.service.users = spread(count)

    result = pool.list()

    assert (result.users, result.pages, result.done) == (count, 1, True)
    assert (len(pool.service.arrivals), pool.service.describes) == (1, 1)
    assert listed_subs(s3) == subs_of(spread(count))


def test_a_larger_pool_costs_one_request_more_than_its_chains_have_pages(pool: Pool) -> None:
    pool.service.users = spread(61)

    pool.list()

    assert (len(pool.service.arrivals), pool.service.describes) == (17, 1)


@pytest.mark.parametrize("page_sizes", [(0, 1, 0, 0, 3), (0, 0, 60), (1,), (60, 0)], ids=str)
@pytest.mark.parametrize("last_is_empty", [True, False])
def test_an_empty_or_short_page_is_not_the_end(
    s3: "S3Client", pool: Pool, page_sizes: tuple[int, ...], last_is_empty: bool
) -> None:
    pool.service.users = spread(40)
    pool.service.page_sizes = page_sizes
    pool.service.last_is_empty = last_is_empty

    result = pool.list()

    assert (result.users, result.done) == (40, True)
    assert listed_subs(s3) == subs_of(spread(40))


@pytest.mark.parametrize("filters", ["refused", "ignored"])
def test_a_pool_that_does_not_filter_is_listed_in_one_chain(
    s3: "S3Client", pool: Pool, filters: str
) -> None:
    pool.service.users = spread(200)
    pool.service.filters = filters

    result = pool.list()

    assert (result.users, result.pages, result.done) == (200, 4, True)
    assert listed_subs(s3) == subs_of(spread(200))
    assert len(pool.service.arrivals) <= 1 + 16 + 4, "the other chains are given up at once"


@pytest.mark.parametrize("requests", [float("inf"), 7])
@pytest.mark.parametrize("missed", [1, 200])
def test_a_pool_whose_filter_misses_one_of_the_first_users_is_listed_in_one_chain(
    s3: "S3Client", pool: Pool, missed: int, requests: float
) -> None:
    pool.service.users = spread(200)
    pool.service.unfiltered = frozenset(subs_of(spread(missed)))

    pool.list_to_the_end(requests=requests)

    assert listed_subs(s3) == subs_of(spread(200))
    assert len(pool.service.arrivals) <= 1 + 16 + 4 + 4, "it starts again only once"


def test_a_user_who_is_deleted_meanwhile_costs_another_pass_and_no_more(
    s3: "S3Client", pool: Pool
) -> None:
    pool.service.users = users = spread(200)
    (gone, *_) = subs_of(users)
    pool.service.interfere = lambda call: users.remove(gone) if call.prefix else None

    pool.list()

    assert listed_subs(s3) == subs_of(spread(200))[1:]


@pytest.mark.parametrize("page_sizes", [(60,), (0, 0, 60, 60)])
def test_a_pool_whose_subs_begin_with_other_characters_is_listed_in_one_chain(
    s3: "S3Client", pool: Pool, page_sizes: tuple[int, ...]
) -> None:
    pool.service.page_sizes = page_sizes
    others = [make_user(f"sub-{number}", None) for number in range(150)]
    pool.service.users = ListedUsers([user(1), *others])

    result = pool.list()

    assert (result.users, result.done) == (151, True)
    assert listed_subs(s3) == subs_of(pool.service.users)
    assert len(pool.service.arrivals) == result.pages, "no page is read again"


def test_a_pool_may_have_all_its_users_under_one_digit(s3: "S3Client", pool: Pool) -> None:
    pool.service.users = ListedUsers([user(number, "b") for number in range(150)])

    result = pool.list()

    assert (result.users, result.pages) == (150, 15 + 3)
    assert listed_subs(s3) == subs_of(pool.service.users)


def test_users_are_found_for_every_digit_that_a_sub_can_begin_with(
    s3: "S3Client", pool: Pool
) -> None:
    pool.service.users = ListedUsers(
        [user(number, digit) for digit in DIGITS for number in range(5)]
    )

    pool.list()

    assert len(read_rows(s3)) == 16 * 5
