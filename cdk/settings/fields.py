"""What a block of cdk.json may set: each field with its type and its meaning.

To add a setting, add a field: its annotation is what is checked, its default makes it optional, its
description goes into the table of docs/deployment.md, which `make tables` writes. A rule between
fields goes into rules.py.
"""

from typing import Annotated, Any

from pydantic import Field

from cdk.settings.block import Block
from cdk.settings.database import Database
from cdk.settings.sync_rules import SyncRuleSettings
from cdk.settings.values import (
    AccountId,
    AlarmHours,
    ColumnName,
    Condition,
    Email,
    EphemeralStorage,
    FilePath,
    KeyArn,
    LogRetention,
    MemorySize,
    PartsConcurrency,
    Percent,
    PolicyArn,
    Region,
    RequestRate,
    RetryAttempts,
    RouteTableId,
    ScheduleExpression,
    SecretArn,
    SecurityGroupId,
    SubnetId,
    TableName,
    Tags,
    TimeoutSeconds,
    TimeZoneName,
    TopicArn,
    UserPoolId,
    VpcId,
    WindowMinutes,
    ZoneName,
)
from db_sync.environment import DbSyncEnvironment, InParts
from list_cognito_users.environment import ListCognitoUsersEnvironment
from update_db.environment import UpdateDbEnvironment


class Fields(Block):
    """The fields of one environment's settings."""

    prod_secret_arn: Annotated[
        SecretArn | None,
        Field(
            description="production's secret, of the RDS shape; it may be in another account, and,"
            " with a NAT, in another Region. Needed unless `prod_database` has `iam`"
        ),
    ] = None
    staging_secret_arn: Annotated[
        SecretArn | None, Field(description="staging's secret, of the same shape")
    ] = None
    prod_database: Annotated[
        Database,
        Field(
            description="what production's secret lacks, or a login without one; the next eight are"
            " its fields"
        ),
    ] = Database()
    staging_database: Annotated[Database, Field(description="the same for staging")] = Database()
    secrets_kms_key_arns: Annotated[
        tuple[KeyArn, ...],
        Field(
            description="the customer managed keys that the secrets are encrypted with; none"
            " for Secrets Manager's own key, which works within one account only"
        ),
    ] = ()
    account: Annotated[
        AccountId | None,
        Field(description="the stack's account; by default that of the credentials"),
    ] = None
    region: Annotated[
        Region | None,
        Field(description="the stack's Region; by default that of the credentials"),
    ] = None

    vpc_id: Annotated[
        VpcId | None,
        Field(
            description="the VPC of DbSync and UpdateDb; without one they reach public databases"
            " only"
        ),
    ] = None
    vpc_lookup: Annotated[
        bool,
        Field(
            description="find the VPC's private subnets, zones and route tables in the account when"
            " the stack is synthesized, instead of naming them; needs `account` and `region`"
        ),
    ] = False
    subnet_ids: Annotated[
        tuple[SubnetId, ...], Field(description="the subnets that the two run in")
    ] = ()
    availability_zones: Annotated[
        tuple[ZoneName, ...],
        Field(description="the zone of each of `subnet_ids`, in the same order"),
    ] = ()
    security_group_ids: Annotated[
        tuple[SecurityGroupId, ...], Field(description="the security groups of the two")
    ] = ()
    has_nat: Annotated[
        bool,
        Field(description="whether the subnets have a NAT, and so reach services of other Regions"),
    ] = False
    vpc_endpoints: Annotated[
        bool,
        Field(
            description="create the endpoints that the two need if the VPC has neither them nor a"
            " NAT: an interface endpoint for Secrets Manager and a gateway endpoint for S3"
        ),
    ] = False
    route_table_ids: Annotated[
        tuple[RouteTableId, ...],
        Field(description="the subnets' route tables, for the S3 endpoint of `vpc_endpoints`"),
    ] = ()
    ca_bundle: Annotated[
        FilePath | None,
        Field(
            description="a PEM file of the certificate authorities that sign the databases'"
            " certificates; `make ca-bundle` fetches those of RDS, Aurora and RDS Proxy. With it"
            " `sslmode` is `verify-full`, without it `require`: encrypted, but to any server that"
            " answers"
        ),
    ] = None

    user_pool_id: Annotated[
        UserPoolId | None,
        Field(
            description="staging's user pool, in the stack's account and Region; without it"
            " executions with `sync_cognito` or `cognito_only` fail"
        ),
    ] = None
    users_table: Annotated[TableName, Field(description="the table of the users")] = (
        UpdateDbEnvironment.users_table
    )
    email_column: Annotated[ColumnName, Field(description="its column with the email")] = (
        UpdateDbEnvironment.email_column
    )
    sub_column: Annotated[ColumnName, Field(description="its column with the sub")] = (
        UpdateDbEnvironment.sub_column
    )
    require_verified_email: Annotated[
        bool, Field(description="skip pool users whose email is not verified")
    ] = UpdateDbEnvironment.require_verified_email
    release_mismatched: Annotated[
        bool,
        Field(
            description="remove a sub from a row if the pool has it with another email; with"
            " `false` such rows are only counted"
        ),
    ] = UpdateDbEnvironment.release_mismatched
    min_matched_percent: Annotated[
        Percent,
        Field(
            description="the percentage of the pool's users with an email that must match a row, or"
            " the remap fails"
        ),
    ] = UpdateDbEnvironment.min_matched_percent
    users_where: Annotated[
        Condition | None,
        Field(
            description="the condition for the rows of `users_table` that the remap takes for"
            " people, like `deleted_at IS NULL`; by default all"
        ),
    ] = None
    list_users_rps: Annotated[
        RequestRate,
        Field(
            description="the listing's ListUsers requests per second, of the 30 that account and"
            " Region have in total"
        ),
    ] = ListCognitoUsersEnvironment.list_users_rps
    sync_rules: Annotated[
        SyncRuleSettings,
        Field(
            description="what the sync leaves alone, masks and lets follow a sub; the next eight"
            " are its fields"
        ),
    ] = SyncRuleSettings()
    mask_key_secret_arn: Annotated[
        SecretArn | None,
        Field(
            description="the secret with the [key of the masks](masking.md#the-key), as it is or"
            " as `mask_key` of a JSON object; needed if anything is masked"
        ),
    ] = None

    schedule_expression: Annotated[
        ScheduleExpression | None,
        Field(description="when the workflow starts by itself; without it there is no schedule"),
    ] = None
    schedule_timezone: Annotated[
        TimeZoneName, Field(description="the time zone of `cron` and `at`")
    ] = "UTC"
    schedule_input: Annotated[
        dict[str, Any], Field(description="each scheduled execution's input")
    ] = {"sync_cognito": True}
    schedule_window_minutes: Annotated[
        WindowMinutes | None,
        Field(description="how late an execution may start; by default it starts on time"),
    ] = None
    schedule_retry_attempts: Annotated[
        RetryAttempts, Field(description="how often a failed start is retried")
    ] = 10
    schedule_retry_minutes: Annotated[
        WindowMinutes,
        Field(
            description="how long a failed start is retried, so that a nightly sync does not lock"
            " tables by day"
        ),
    ] = 60
    schedule_dead_letter_queue: Annotated[
        bool,
        Field(description="keep starts that failed for good in a dead-letter queue, for 14 days"),
    ] = True

    memory_mb: Annotated[
        MemorySize,
        Field(description="each Lambda's memory; CPU grows with it, and 1769 have one vCPU"),
    ] = 1024
    ephemeral_storage_mb: Annotated[
        EphemeralStorage,
        Field(
            description="DbSync's disk, for the lists of a comparison: 512 are enough for a table"
            " of about two billion rows"
        ),
    ] = 512
    timeout_seconds: Annotated[
        TimeoutSeconds,
        Field(
            description="each Lambda's timeout; a sync that needs more time is divided into parts"
            " if `in_parts` allows it, and otherwise fails"
        ),
    ] = 900
    in_parts: Annotated[
        InParts,
        Field(
            description="when a sync that one Lambda has no time for is divided into parts, each"
            " with a transaction of its own: if the tables that need it are empty in staging,"
            " whenever it is needed, or never. While parts run, staging is neither the old state"
            " nor the new one"
        ),
    ] = DbSyncEnvironment.in_parts
    parts_concurrency: Annotated[
        PartsConcurrency,
        Field(
            description="how many parts run at once, each in a Lambda with a connection to both"
            " databases; two more Lambdas hold production's snapshot. An account's Region has 1,000"
            " Lambdas at once by default, and a new account fewer"
        ),
    ] = DbSyncEnvironment.parts_concurrency
    log_retention_days: Annotated[
        LogRetention,
        Field(description="how long logs are kept; an execution's history is kept for 90 days"),
    ] = 90
    alarm_email: Annotated[
        Email | None,
        Field(description="the address to notify of failures; SNS first sends a mail to confirm"),
    ] = None
    alarm_topic_arn: Annotated[
        TopicArn | None, Field(description="an existing topic to publish failures to instead")
    ] = None
    chat_topic_arn: Annotated[
        TopicArn | None,
        Field(
            description="an existing topic that Amazon Q Developer shows in a chat, like Slack;"
            " failures are published to it in the format that is shown there"
        ),
    ] = None
    alarm_no_start_hours: Annotated[
        AlarmHours | None,
        Field(
            description="after how many hours without a start an alarm is raised; by default"
            " derived from `rate(…)`, and with `cron(…)` there is no such alarm. Set 50 for a"
            " nightly schedule: when the clocks of `schedule_timezone` change, a night may be"
            " skipped"
        ),
    ] = None
    kms_key_arn: Annotated[
        KeyArn | None,
        Field(
            description="a customer managed key for bucket, logs, topic and execution history; its"
            " policy must allow those services to use it. By default AWS's own keys are used"
        ),
    ] = None
    tags: Annotated[Tags, Field(description="tags of every resource in the stack")] = {}
    permissions_boundary_arn: Annotated[
        PolicyArn | None, Field(description="the permissions boundary of every role")
    ] = None
    retain_data: Annotated[
        bool, Field(description="keep bucket and logs when the stack is deleted")
    ] = True
    termination_protection: Annotated[
        bool, Field(description="refuse to delete the stack until this is `false` again")
    ] = False
    layer_dir: Annotated[
        FilePath | None,
        Field(
            description="a directory with a dependency layer that was built elsewhere; by default"
            " it is built for Lambda"
        ),
    ] = None
