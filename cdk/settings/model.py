"""One environment's settings, as cdk.json holds them: each field with its type and its meaning.

To add a setting, add a field to `Settings`: its annotation is what is checked, its default makes
it optional, its description goes into the table of docs/deployment.md, which `make tables` writes.
A rule between fields goes into rules.py.
"""

from typing import Annotated, Any

from pydantic import Field

from cdk.settings.arns import partition_of, partition_of_region
from cdk.settings.block import Block
from cdk.settings.database import Database
from cdk.settings.schedule_expression import longest_gap
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
from list_cognito_users.environment import ListCognitoUsersEnvironment
from update_db.environment import UpdateDbEnvironment


class Settings(Block):
    """One environment's settings."""

    prod_secret_arn: Annotated[
        SecretArn | None,
        Field(
            description="production's secret, of the RDS shape; it may lie in another account,"
            " and, with a NAT, in another Region. Needed, unless `prod_database` says `iam`"
        ),
    ] = None
    staging_secret_arn: Annotated[
        SecretArn | None, Field(description="staging's secret, likewise")
    ] = None
    prod_database: Annotated[
        Database,
        Field(
            description="what production's secret lacks, or a login without one; the next eight"
            " lie in it"
        ),
    ] = Database()
    staging_database: Annotated[Database, Field(description="staging's, likewise")] = Database()
    secrets_kms_key_arns: Annotated[
        tuple[KeyArn, ...],
        Field(
            description="the customer keys that the two secrets are encrypted with; none for"
            " Secrets Manager's own key, which serves one account only"
        ),
    ] = ()
    account: Annotated[
        AccountId | None,
        Field(description="where the stack goes; by default where the credentials point"),
    ] = None
    region: Annotated[
        Region | None,
        Field(description="where the stack goes; by default where the credentials point"),
    ] = None

    vpc_id: Annotated[
        VpcId | None,
        Field(
            description="the VPC of DbSync and UpdateDb; without one they run where only public"
            " databases are reached"
        ),
    ] = None
    vpc_lookup: Annotated[
        bool,
        Field(
            description="find the VPC's private subnets, zones and route tables in the account"
            " when the stack is synthesized, instead of naming them; needs `account` and `region`"
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
        tuple[SecurityGroupId, ...], Field(description="the security groups that the two carry")
    ] = ()
    has_nat: Annotated[
        bool,
        Field(description="whether the subnets reach the internet, and so other Regions' services"),
    ] = False
    vpc_endpoints: Annotated[
        bool,
        Field(
            description="create the endpoints that the two need, an interface endpoint for Secrets"
            " Manager and a gateway endpoint for S3, where the VPC has neither them nor a NAT"
        ),
    ] = False
    route_table_ids: Annotated[
        tuple[RouteTableId, ...],
        Field(description="the subnets' route tables, for the S3 endpoint of `vpc_endpoints`"),
    ] = ()
    ca_bundle: Annotated[
        FilePath | None,
        Field(
            description="a PEM file with the certificates that the databases' must be signed by;"
            " `make ca-bundle` fetches those of RDS, Aurora and RDS Proxy. With it connections are"
            " `verify-full`, without it `require`: encrypted, but to whoever answers"
        ),
    ] = None

    user_pool_id: Annotated[
        UserPoolId | None,
        Field(
            description="staging's user pool, in the stack's account and Region; without it an"
            " execution that asks for Cognito fails"
        ),
    ] = None
    users_table: Annotated[TableName, Field(description="the table that holds the users")] = (
        UpdateDbEnvironment.users_table
    )
    email_column: Annotated[ColumnName, Field(description="its column with the email")] = (
        UpdateDbEnvironment.email_column
    )
    sub_column: Annotated[ColumnName, Field(description="its column with the sub")] = (
        UpdateDbEnvironment.sub_column
    )
    require_verified_email: Annotated[
        bool, Field(description="skip a person whose email in the pool is not verified")
    ] = UpdateDbEnvironment.require_verified_email
    release_mismatched: Annotated[
        bool,
        Field(
            description="take a sub from a row whose email is not the one that the pool has for it;"
            " `false` only counts such rows"
        ),
    ] = UpdateDbEnvironment.release_mismatched
    min_matched_percent: Annotated[
        Percent,
        Field(
            description="of the pool's users that have an email, how many a row must match, or the"
            " remap fails"
        ),
    ] = UpdateDbEnvironment.min_matched_percent
    users_where: Annotated[
        Condition | None,
        Field(
            description="which rows of `users_table` are people for the remap: a boolean expression"
            " of SQL, like `deleted_at IS NULL`; by default all"
        ),
    ] = None
    list_users_rps: Annotated[
        RequestRate,
        Field(
            description="how many ListUsers requests a second the listing may send, of the 30"
            " that the account and Region have for everybody"
        ),
    ] = ListCognitoUsersEnvironment.list_users_rps
    sync_rules: Annotated[
        SyncRuleSettings, Field(description="what the sync leaves alone; the next four lie in it")
    ] = SyncRuleSettings()

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
        Field(description="how much later than the schedule says it may start; by default at once"),
    ] = None
    schedule_retry_attempts: Annotated[
        RetryAttempts, Field(description="how often a start that failed is tried again")
    ] = 10
    schedule_retry_minutes: Annotated[
        WindowMinutes,
        Field(
            description="how long a start that failed is tried again; by day it would lock the"
            " tables that people work with"
        ),
    ] = 60
    schedule_dead_letter_queue: Annotated[
        bool,
        Field(description="keep the starts that never came about in a queue, for 14 days"),
    ] = True

    memory_mb: Annotated[
        MemorySize,
        Field(description="each Lambda's memory; it buys processor time, and 1769 are one core"),
    ] = 1024
    ephemeral_storage_mb: Annotated[
        EphemeralStorage,
        Field(
            description="DbSync's disk, for the lists of a comparison: 512 are enough for a table"
            " of some two billion rows"
        ),
    ] = 512
    timeout_seconds: Annotated[
        TimeoutSeconds, Field(description="each Lambda's time; a sync that needs more fails")
    ] = 900
    log_retention_days: Annotated[
        LogRetention, Field(description="how long logs are kept; executions are, for 90 days")
    ] = 90
    alarm_email: Annotated[
        Email | None,
        Field(description="who is told of failures; they confirm a mail that SNS sends them"),
    ] = None
    alarm_topic_arn: Annotated[
        TopicArn | None, Field(description="an existing topic that is told of failures instead")
    ] = None
    chat_topic_arn: Annotated[
        TopicArn | None,
        Field(
            description="an existing topic that Amazon Q Developer shows in a chat, like Slack: it"
            " is told of failures in the form that this shows"
        ),
    ] = None
    alarm_no_start_hours: Annotated[
        AlarmHours | None,
        Field(
            description="after how many hours without a start an alarm rings; by default it is"
            " derived from `rate(…)`, and with `cron(…)` there is no such alarm. For a nightly one"
            " 50 is right: where the clocks of `schedule_timezone` change, a night may be skipped"
        ),
    ] = None
    kms_key_arn: Annotated[
        KeyArn | None,
        Field(
            description="a customer key for bucket, logs, topic and execution history; its policy"
            " must let those services use it. By default AWS's own keys"
        ),
    ] = None
    tags: Annotated[Tags, Field(description="tags that everything in the stack carries")] = {}
    permissions_boundary_arn: Annotated[
        PolicyArn | None, Field(description="the permissions boundary of every role")
    ] = None
    retain_data: Annotated[bool, Field(description="whether bucket and logs outlive the stack")] = (
        True
    )
    termination_protection: Annotated[
        bool, Field(description="whether the stack can be deleted only after this is taken back")
    ] = False
    layer_dir: Annotated[
        FilePath | None,
        Field(
            description="a dependency layer that is built already, for another platform than"
            " Lambda's; by default it is built"
        ),
    ] = None

    def secret_arn_of(self, side: str) -> str | None:
        """The secret of a side, "prod" or "staging", where it has one."""
        return {"prod": self.prod_secret_arn, "staging": self.staging_secret_arn}[side]

    def database_of(self, side: str) -> Database:
        """What is said of a side's database."""
        return {"prod": self.prod_database, "staging": self.staging_database}[side]

    @property
    def secret_arns(self) -> tuple[str, ...]:
        """The secrets that there are."""
        return tuple(arn for arn in (self.prod_secret_arn, self.staging_secret_arn) if arn)

    @property
    def partition(self) -> str:
        """The partition of AWS that the stack goes to."""
        if self.region:
            return partition_of_region(self.region)
        return partition_of(self.secret_arns[-1]) if self.secret_arns else "aws"

    @property
    def tells_somebody(self) -> bool:
        """Whether anybody is told of failures."""
        return bool(self.alarm_email or self.alarm_topic_arn or self.chat_topic_arn)

    @property
    def longest_schedule_gap(self) -> int | None:
        """The hours that may pass without a start though all is well; None unless rate(…)."""
        late = (self.schedule_window_minutes or 0) + self.schedule_retry_minutes
        return longest_gap(self.schedule_expression, late)

    @property
    def kept_columns(self) -> tuple[Any, ...]:
        """The columns that belong to the target: the sub column too where a pool is configured.

        Otherwise each sync would undo the last remap and lock everybody out. A sub is a person's,
        so that an entry which names the column alone becomes one that asks for the same email.
        """
        sub = f"{self.users_table}.{self.sub_column}"
        kept = self.sync_rules.keep
        if not self.user_pool_id or any(
            isinstance(entry, dict) and entry["column"] == sub for entry in kept
        ):
            return kept
        others = (entry for entry in kept if entry != sub)
        return (*others, {"column": sub, "while_same": [self.email_column]})
