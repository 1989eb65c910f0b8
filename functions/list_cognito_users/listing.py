"""Writes a Cognito user pool's users to the exchange bucket, several pages at a time.

A pool that fits on one page is listed by one request. Any other is read in sixteen chains of pages,
one for each first digit of a sub, which take turns. A page's users are written at once to a gzipped
CSV part, so that memory does not grow with the pool. When the time is up, or Cognito fails for too
long, the chains' positions are saved for the next invocation. The manifest is written last: only it
says which parts the listing consists of.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from common.aws.exchange import Exchange
from common.errors import CognitoUnavailable, OutOfTime
from common.log import logger
from common.manifest import MANIFEST_NAME
from list_cognito_users.chain import Chain
from list_cognito_users.pool import CONNECTIONS, UserPool
from list_cognito_users.progress import Progress, load_progress, save_progress
from list_cognito_users.rate import RateLimiter
from list_cognito_users.tuning import TUNING, Tuning
from list_cognito_users.turns import Turns

# A listing gives a warning if it lacks so many users, and such a share, of Cognito's estimate.
USERS_SHORT = 60
SHARE_SHORT = 0.05


@dataclass(frozen=True, slots=True)
class Listing:
    """Where a listing is stored (`manifest` is a key in `bucket`) and how much it has so far."""

    bucket: str
    manifest: str
    users: int
    pages: int
    done: bool


def list_users(
    pool: UserPool,
    exchange: Exchange,
    limiter: RateLimiter,
    time_left: Callable[[], float],
    tuning: Tuning = TUNING,
) -> Listing:
    """Write the users of a pool into the execution's folder, as parts and a manifest.

    Continues the listing of an earlier invocation of the same execution, if there is one.

    Args:
        pool: the pool.
        exchange: the execution's folder.
        limiter: limits the requests per second.
        time_left: the seconds until the listing must be left to the next invocation.
        tuning: its limits.

    Raises:
        CognitoUnavailable: Cognito throttled or failed for too long. What is listed so far is
            kept.
        ConfigurationError: the pool or the bucket is missing, or the role may not use it.
        OutOfTime: there was no time to read a single page.
        StagingSyncError: a user has no sub, or S3 failed.
    """
    progress = load_progress(exchange)
    turns = Turns(progress, pool, exchange, limiter, tuning)
    turns.take(time_left)
    done = all(chain.is_done for chain in progress.chains)
    if done:
        _finish(progress, pool, exchange)
    else:
        _leave(progress, turns, exchange)
    return Listing(
        exchange.bucket, exchange.key(MANIFEST_NAME), progress.users, progress.pages, done
    )


def _finish(progress: Progress, pool: UserPool, exchange: Exchange) -> None:
    warnings = [*_compare_count(progress.users, pool), *_skipped(progress.skipped)]
    exchange.write_json(MANIFEST_NAME, progress.manifest(*warnings).to_json())
    for warning in warnings:
        logger.warning("listing needs a look", warning=warning)
    logger.info(
        "listed the user pool",
        users=progress.users,
        pages=progress.pages,
        parts=len(progress.parts),
    )


def _skipped(users: int) -> list[str]:
    """Return a warning if users have a value that PostgreSQL cannot store."""
    if not users:
        return []
    return [
        f"{users} users of the pool were skipped: one of their attributes has a NUL or half a"
        " surrogate pair, which PostgreSQL cannot store. The parts of the listing name them,"
        " without an email and with escapes like \\u0000. Correct the attribute in the pool."
    ]


def _compare_count(users: int, pool: UserPool) -> list[str]:
    """Return a warning if the listing has far fewer users than Cognito estimates."""
    try:
        estimate = pool.estimated_users()
    except CognitoUnavailable:
        return [
            f"The {users} users listed were not compared with Cognito's estimate, which could not"
            " be read."
        ]
    short = estimate - users
    if short <= USERS_SHORT or short <= estimate * SHARE_SHORT:
        return []
    return [
        f"The listing has {users} users where Cognito estimates {estimate}; people who are missing"
        " from it keep the sub that they have. Unless users were deleted recently, start the"
        " execution again."
    ]


def _leave(progress: Progress, turns: Turns, exchange: Exchange) -> None:
    """Save the chains' positions for the next invocation.

    Raises:
        CognitoUnavailable: the listing stopped because Cognito failed.
        OutOfTime: no page was read, so that another invocation would not get further either.
    """
    if not turns.pages:
        raise turns.error or OutOfTime(
            "The time was up before a page of the user pool was read. Raise the timeout of"
            " ListCognitoUsers (at most 900 s)."
        )
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        list(threads.map(Chain.close, progress.chains))
    save_progress(progress, exchange)
    logger.info("saved where the listing stands", users=progress.users, pages=progress.pages)
    if turns.error and turns.has_failed:
        raise turns.error
