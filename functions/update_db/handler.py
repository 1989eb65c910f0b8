"""UpdateDb: sets the users' subs to those of staging's user pool."""

from contextlib import suppress
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from common.aws.databases import database_of
from common.aws.exchange import Exchange
from common.aws.mask_key import read_mask_key
from common.entry import entry_point
from common.errors import ConfigurationError, StagingSyncError
from common.event import Event
from common.metrics import Metric, emit
from common.postgres.deadline import Deadline
from common.postgres.waits import WAITS, Waits
from common.reports.failure import Failure
from common.reports.remap import PEOPLE, REPORT, RemapCounts, RemapResult
from update_db.environment import UpdateDbEnvironment
from update_db.follower_search import parse_follow
from update_db.mapping import load_mapping
from update_db.masked_emails import EmailMasking, parse_mask
from update_db.remap import RemapOptions, remap_users
from update_db.users_table import UsersTable


def remap(event: Event, context: LambdaContext, waits: Waits = WAITS) -> dict[str, Any]:
    """Remap, write both reports to S3, emit metrics, and return the output's `cognito_mapping`."""
    environment = UpdateDbEnvironment.read()
    exchange = Exchange.of(environment.exchange_bucket, event.execution)
    try:
        result = _remap(event, context, waits, environment, exchange)
    except StagingSyncError as error:
        with suppress(StagingSyncError):  # the remap's error is the one that counts
            exchange.write_json(REPORT, Failure.of(error).report())
        raise
    if not event.input.dry_run:
        emit(event.execution, _measure(result.counts))
    output = {
        **result.counts.output(),
        "followers": dict(result.followers),
        "warnings": list(result.warnings),
    }
    if event.input.dry_run and not event.input.cognito_only:
        output["basis"] = "before_sync"
    return {**output, "report": result.people}


handler = entry_point(remap)


def _remap(
    event: Event,
    context: LambdaContext,
    waits: Waits,
    environment: UpdateDbEnvironment,
    exchange: Exchange,
) -> RemapResult:
    """Remap as the environment says; both reports are in the bucket then."""
    manifest = _manifest_key(event, exchange)
    options = RemapOptions(
        execution=event.execution,
        users=UsersTable.of(
            environment.users_table,
            environment.email_column,
            environment.sub_column,
            environment.users_where,
            _masking(environment),
        ),
        require_verified_email=environment.require_verified_email,
        release_mismatched=environment.release_mismatched,
        min_matched_percent=environment.min_matched_percent,
        follow=parse_follow(environment.follow),
        dry_run=event.input.dry_run,
        deadline=Deadline.in_milliseconds(context.get_remaining_time_in_millis()),
        waits=waits,
    )

    def save_result(done: RemapResult) -> None:
        exchange.write_json(REPORT, done.report())

    return remap_users(
        database_of(environment.staging),
        options,
        lambda target: load_mapping(target, exchange, manifest),
        lambda people: exchange.upload(PEOPLE, people),
        save_result,
    )


def _masking(environment: UpdateDbEnvironment) -> EmailMasking | None:
    """Return how the sync masks the emails; None if it does not.

    Raises:
        ConfigurationError: the rule is malformed or of another kind, or its key cannot be read.
    """
    if environment.email_mask is None:
        return None
    if environment.mask_key_secret_arn is None:
        raise ConfigurationError(
            "EMAIL_MASK is set without MASK_KEY_SECRET_ARN: masked addresses depend on the key. Set"
            " mask_key_secret_arn in cdk.json to the sync's and deploy again."
        )
    mask = parse_mask(environment.email_mask)
    return EmailMasking(mask, read_mask_key(environment.mask_key_secret_arn))


def _measure(counts: RemapCounts) -> dict[Metric, float]:
    """Return how many people each case had, as metrics."""
    return {
        Metric.USERS_UPDATED: counts.updated,
        Metric.USERS_UNCHANGED: counts.unchanged,
        Metric.USERS_SKIPPED_NO_COGNITO_USER: counts.skipped_no_cognito_user,
        Metric.USERS_SKIPPED_NO_DB_USER: counts.skipped_no_db_user,
        Metric.USERS_SKIPPED_AMBIGUOUS: counts.skipped_ambiguous,
        Metric.USERS_UNLINKED: counts.unlinked,
        Metric.USERS_MISMATCHED: counts.mismatched,
        Metric.USERS_UNVERIFIED_EMAIL: counts.unverified_email,
    }


def _manifest_key(event: Event, exchange: Exchange) -> str:
    """Return the key of the listing's manifest, which must be this execution's own.

    Raises:
        ConfigurationError: the event does not say where the listing is, or names another's.
    """
    listing = event.rest.get("cognito_users")
    manifest = listing.get("manifest") if isinstance(listing, dict) else None
    if not isinstance(manifest, str) or not manifest.startswith(exchange.key("")):
        raise ConfigurationError(
            "The event's \"cognito_users\" does not name this execution's manifest. Start the"
            " state machine instead of invoking its Lambdas."
        )
    return manifest
