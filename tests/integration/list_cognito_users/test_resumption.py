"""ListCognitoUsers: a listing in several invocations, one of which may be killed."""

import io
import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from common.errors import CognitoUnavailable, ConfigurationError, OutOfTime
from common.manifest import Manifest, Part
from list_cognito_users.chain import Chain
from list_cognito_users.handler import handler
from list_cognito_users.progress import Progress
from list_cognito_users.tuning import Tuning
from tests.integration.list_cognito_users.pools import (
    EVENT,
    NO_PATIENCE,
    Killed,
    Pool,
    listed_subs,
    manifest_json,
    rows_of,
    spread,
    subs_of,
    user,
)
from tests.support.bucket import BUCKET, stored_keys
from tests.support.cognito_service import INTERNAL_ERROR, Call, CognitoService, Failure
from tests.support.cognito_users import DIGITS
from tests.support.lambda_context import FakeContext

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

USERS = 64
PAGES = 32


@pytest.fixture
def pool(pool: Pool) -> Pool:
    """A pool of 64 users on pages of two: a first page, and then two for each digit."""
    pool.service.users = spread(USERS)
    pool.service.page_sizes = (2,)
    return pool


def part_contents(s3: "S3Client") -> dict[str, bytes]:
    """Return the parts that the manifest names, complete or not."""
    return {
        part["key"]: s3.get_object(Bucket=BUCKET, Key=part["key"])["Body"].read()
        for part in manifest_json(s3)["parts"]
    }


@pytest.mark.parametrize("requests", [5, 17, 30])
def test_several_invocations_list_what_one_would(s3: "S3Client", pool: Pool, requests: int) -> None:
    invocations = pool.list_to_the_end(requests=requests)

    assert listed_subs(s3) == subs_of(spread(USERS))
    assert len(pool.service.arrivals) == 1 + PAGES, "no page is read twice"
    assert invocations == math.ceil((1 + PAGES) / requests)


def test_an_invocation_whose_time_is_up_says_that_it_is_not_done(
    s3: "S3Client", pool: Pool
) -> None:
    result = pool.list(requests=20)

    assert result.done is False
    content = manifest_json(s3)
    assert content["complete"] is False
    assert (result.users, result.pages) == (content["users"], content["pages"]) == (38, 19)
    assert sorted(chain["pages"] for chain in content["chains"]) == [*[1] * 13, 2, 2, 2]
    assert all(chain["done"] == (chain["pages"] == 2) for chain in content["chains"])
    assert all(chain["done"] == (chain["token"] is None) for chain in content["chains"])


def test_the_saved_parts_are_written_and_hold_what_their_chains_have_read(
    s3: "S3Client", pool: Pool
) -> None:
    pool.list(requests=20)

    stored = part_contents(s3)
    for part in manifest_json(s3)["parts"]:
        rows = rows_of(stored[part["key"]])
        assert len(rows) == part["lines"]
        assert {row["sub"][0] for row in rows} == {part["chain"]}


def test_update_db_refuses_a_listing_that_is_not_done(s3: "S3Client", pool: Pool) -> None:
    pool.list(requests=20)

    with pytest.raises(ConfigurationError, match="the listing is not complete"):
        Manifest.parse(json.dumps(manifest_json(s3)))


def test_a_pool_listed_in_one_chain_takes_several_invocations_too(
    s3: "S3Client", pool: Pool
) -> None:
    pool.service.filters = "refused"

    pool.list_to_the_end(requests=20)

    assert listed_subs(s3) == subs_of(spread(USERS))
    filtered = 16  # requests until the first invocation notices it
    assert len(pool.service.arrivals) <= 1 + filtered + USERS / 2


def test_a_killed_invocation_leaves_the_last_manifest_and_its_parts(
    s3: "S3Client", pool: Pool
) -> None:
    small_parts = Tuning(users_per_part=2)
    pool.list(requests=10, tuning=small_parts)
    manifest, stored = manifest_json(s3), part_contents(s3)

    with pytest.raises(Killed):
        pool.list_and_be_killed(requests=20, tuning=small_parts)

    assert manifest_json(s3) == manifest
    assert part_contents(s3) == stored
    assert len(stored_keys(s3)) > 1 + len(stored), "the killed one has written parts"


@pytest.mark.parametrize("before", [0, 10])
@pytest.mark.parametrize("killed_after", [1, 18])
def test_the_next_invocation_completes_what_a_killed_one_left(
    s3: "S3Client", pool: Pool, before: int, killed_after: int
) -> None:
    if before:
        pool.list(requests=before)
    with pytest.raises(Killed):
        pool.list_and_be_killed(requests=killed_after)

    pool.list_to_the_end(requests=20)

    assert listed_subs(s3) == subs_of(spread(USERS))


def test_a_chain_whose_token_is_too_old_is_listed_again(s3: "S3Client", pool: Pool) -> None:
    pool.list(requests=20)
    first = {part["key"] for part in manifest_json(s3)["parts"]}
    pool.service.interfere = refuse_tokens(times=1, prefix="b")

    pool.list_to_the_end(requests=20)

    assert listed_subs(s3) == subs_of(spread(USERS))
    dropped = first - {part["key"] for part in manifest_json(s3)["parts"]}
    assert [key.rpartition("/")[2][:6] for key in dropped] == ["part-b"]


def test_when_all_tokens_are_too_old_only_the_finished_chains_are_kept(
    s3: "S3Client", pool: Pool
) -> None:
    pool.list(requests=25)
    assert 0 < sum(chain["done"] for chain in manifest_json(s3)["chains"]) < 16
    clock = pool.service.clock
    pool.service.clock = lambda: clock() + 3601

    pool.list()

    assert listed_subs(s3) == subs_of(spread(USERS))


def refuse_tokens(times: int, prefix: str) -> Callable[[Call], Failure | None]:
    """Refuse the tokens of a chain so many times."""
    left = iter(range(times))

    def interfere(call: Call) -> Failure | None:
        if call.prefix == prefix and call.has_token and next(left, None) is not None:
            return Failure("InvalidParameterException", "Invalid pagination token.")
        return None

    return interfere


@pytest.mark.parametrize("requests", [20, 1_000])
def test_tokens_that_are_refused_again_and_again_end_in_an_error(pool: Pool, requests: int) -> None:
    pool.service.interfere = refuse_tokens(times=1_000, prefix="b")

    with pytest.raises(CognitoUnavailable, match="pagination token"):
        pool.list_to_the_end(requests=requests)


def test_an_invocation_without_time_for_a_page_fails_and_writes_nothing(
    s3: "S3Client", pool: Pool
) -> None:
    with pytest.raises(OutOfTime, match="timeout of ListCognitoUsers"):
        pool.list(requests=0)

    assert stored_keys(s3) == []


def test_half_a_minute_is_reserved_for_saving_what_is_listed(service: CognitoService) -> None:
    with pytest.raises(OutOfTime):
        handler(EVENT, FakeContext(lambda: 30.0))

    assert service.arrivals == []


def test_an_invocation_without_progress_fails_and_leaves_the_manifest(
    s3: "S3Client", pool: Pool
) -> None:
    pool.list(requests=20)
    before = manifest_json(s3)
    pool.service.interfere = lambda _: INTERNAL_ERROR

    with pytest.raises(CognitoUnavailable, match="InternalErrorException"):
        pool.list(requests=20)

    assert manifest_json(s3) == before


def test_what_is_listed_before_cognito_fails_for_too_long_is_kept(
    s3: "S3Client", pool: Pool
) -> None:
    pool.service.interfere = lambda call: INTERNAL_ERROR if call.number > 30 else None
    with pytest.raises(CognitoUnavailable, match="InternalErrorException"):
        pool.list(tuning=NO_PATIENCE)
    kept = manifest_json(s3)
    assert kept["pages"] == 29
    asked = len(pool.service.arrivals)
    pool.service.interfere = lambda _: None

    pool.list()

    assert listed_subs(s3) == subs_of(spread(USERS))
    assert len(pool.service.arrivals) - asked == PAGES - 29, "no page is read again"


def test_users_who_are_added_or_deleted_between_invocations_do_not_affect_the_others(
    s3: "S3Client", pool: Pool
) -> None:
    before = subs_of(spread(USERS))
    users = pool.service.users = spread(USERS)
    pool.list(requests=20)
    for sub in before[::7]:
        users.remove(sub)
    for new in range(USERS, USERS + 20):
        users.add(user(new, DIGITS[new % 16]))

    pool.list_to_the_end(requests=20)

    subs = listed_subs(s3)
    assert len(subs) == len(set(subs)), "nobody is listed twice"
    assert set(subs) >= set(before) - set(before[::7]), "nobody who stayed is missing"


def test_the_chains_progress_is_logged_in_numbers_only(pool: Pool, logged: io.StringIO) -> None:
    pool.list_to_the_end(requests=30)

    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert [line["message"] for line in lines] == [
        "saved where the listing stands",
        "listed the user pool",
    ]
    assert (lines[0]["users"], lines[0]["pages"]) == (58, 29)
    for personal in ("example.com", *subs_of(spread(USERS))):
        assert personal not in logged.getvalue()


def test_a_million_users_make_no_large_manifest() -> None:
    chains = [
        Chain(digit, token="x" * 2_000, parts=[Part(f"executions/{'x' * 120}", 10_000)] * 10)
        for digit in DIGITS
    ]

    assert len(json.dumps(Progress(chains).to_json())) < 100_000
