"""A wrong setting ends the synthesis with an error that names it."""

from typing import Any

import pytest

from tests.infra.blocks import NETWORK, begin_with, problems_of
from tests.infra.synthesized import MASK_KEY_SECRET, SECRETS

KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
TOPIC = "arn:aws:sns:eu-central-1:111122223333:alarms"
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("unknown", {"user_pool": "eu-central-1_Shop"}, "user_pool is not a setting"),
    ("unknown inside", {"sync_rules": {"exclud": []}}, "sync_rules.exclud is not a setting"),
    ("not a string", {"account": 111122223333}, "account must be a string"),
    ("not a boolean", {"require_verified_email": "true"}, "require_verified_email must be true or"),
    ("not a number", {"list_users_rps": "20"}, "list_users_rps must be a number"),
    ("a boolean for a number", {"list_users_rps": True}, "list_users_rps must be a number"),
    ("no requests", {"list_users_rps": 0}, "list_users_rps must be a number above 0 and up to 30"),
    ("more than Cognito grants", {"list_users_rps": 30.1}, "list_users_rps must be a number above"),
    ("no number at all", {"list_users_rps": float("nan")}, "list_users_rps must be a number above"),
    ("not a list", {**NETWORK, "subnet_ids": "subnet-11111111"}, "subnet_ids must be a list"),
    ("not a list of strings", {**NETWORK, "subnet_ids": [1]}, "subnet_ids[0] must be a string"),
    ("not an object", {"sync_rules": ["public.audit_log"]}, "sync_rules must be an object"),
    ("null", {"users_table": None}, "users_table must be a string"),
    ("no ARN", {"prod_secret_arn": "shop/prod"}, "prod_secret_arn must be the complete ARN"),
    (
        "a partial ARN",
        {"staging_secret_arn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop"},
        "staging_secret_arn must be the complete ARN",
    ),
    (
        "an ARN with an asterisk",
        {"prod_secret_arn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:*-AbCdEf"},
        "prod_secret_arn must be the complete ARN",
    ),
    (
        "one secret for both",
        {"staging_secret_arn": SECRETS["prod_secret_arn"]},
        "staging_secret_arn is production's secret too",
    ),
    ("no account's number", {"account": "1111"}, "account must be twelve digits"),
    ("no pool's ID", {"user_pool_id": "shop"}, "user_pool_id must be a user pool's ID"),
    (
        "a pool elsewhere",
        {"region": "eu-central-1", "user_pool_id": "us-east-1_Shop"},
        "user_pool_id is in us-east-1",
    ),
    ("a table without schema", {"users_table": "users"}, "users_table must be a table with its"),
    ("two conditions", {"users_where": "true; DROP TABLE users"}, "users_where must be a boolean"),
    ("no condition", {"users_where": " "}, "users_where must be a boolean expression"),
    ("more than all", {"min_matched_percent": 101}, "min_matched_percent must be a number from 0"),
    ("an empty name", {"sub_column": ""}, "sub_column must be a column's name"),
    ("a column with its table", {"email_column": "users.email"}, "email_column must be a column's"),
    (
        "a column without table",
        {"sync_rules": {"keep": ["cognito_sub"]}},
        "sync_rules.keep[0] must be schema, table and column",
    ),
    (
        "a person without columns",
        {"sync_rules": {"keep": [{"column": "public.users.cognito_sub", "while_same": []}]}},
        "sync_rules.keep[0] must be schema, table and column",
    ),
    (
        "a person who is identified by a kept column",
        {
            "user_pool_id": "eu-central-1_Shop",
            "sync_rules": {"keep": ["public.users.email"]},
        },
        "sync_rules.keep names public.users.email as kept and in while_same",
    ),
    (
        "one column in two ways",
        {
            "sync_rules": {"keep": ["public.a.b", {"column": "public.a.b", "while_same": ["c"]}]},
        },
        "sync_rules.keep: The sync rule",
    ),
    (
        "followers that are a list",
        {"sync_rules": {"follow": ["public.wishlists.owner_sub"]}},
        "sync_rules.follow must be an object",
    ),
    (
        "several wrong followers",
        {
            "sync_rules": {
                "follow": {
                    "owner_sub": "public.users.cognito_sub",
                    "public.wishlists.owner_sub": "users",
                    "public.teams.settings": {
                        "column": "public.users.cognito_sub",
                        "paths": ["members"],
                    },
                }
            }
        },
        "sync_rules.follow must be columns with the sub column that they follow, like"
        ' {"public.wishlists.owner_sub": "public.users.cognito_sub"}: The sync rule "follow" names'
        ' "owner_sub"; it must be "schema.table.column", in which * stands for any characters, or'
        ' "*.column" for a column of any table; a part that contains a dot must be in double'
        ' quotes, as in public."audit.2024".at. The sync rule "follow" must be an object of columns'
        ' and the sub column that they follow, like {"public.notes.by_sub":'
        ' "public.users.cognito_sub"}; for jsonb {"public.teams.settings": {"column":'
        ' "public.users.cognito_sub", "paths": ["$.members[*]"]}}; null'
        " for columns that stay as they are.",
    ),
    (
        "a follower of another column",
        {"sync_rules": {"follow": {"public.wishlists.owner_sub": "public.users.sub"}}},
        "sync_rules.follow names public.users.sub as the column to follow, but the subs are in"
        " users_table and sub_column, public.users.cognito_sub.",
    ),
    (
        "a sub column that follows itself",
        {"sync_rules": {"follow": {"public.users.cognito_sub": "public.users.cognito_sub"}}},
        "sync_rules.follow names the sub_column public.users.cognito_sub itself",
    ),
    (
        "a follower that is kept",
        {
            "sync_rules": {
                "keep": ["public.wishlists.owner_sub"],
                "follow": {"public.*.owner_sub": "public.users.cognito_sub"},
            }
        },
        'sync_rules.follow names public.wishlists.owner_sub by "public.*.owner_sub", and'
        " sync_rules.keep names it too",
    ),
    (
        "more followers than a variable has room for",
        {
            "sync_rules": {
                "follow": {
                    f"public.table_{number}.owner_sub": "public.users.cognito_sub"
                    for number in range(40)
                }
            }
        },
        "sync_rules.follow has 2,270 characters, and UpdateDb has room for 2,000",
    ),
    (
        "masks that are a list",
        {"sync_rules": {"mask": ["public.users.email"]}},
        "sync_rules.mask must be an object",
    ),
    (
        "an unknown kind of mask",
        {"sync_rules": {"mask": {"public.users.email": "scramble"}}},
        'sync_rules.mask must be columns with their masks, like {"public.users.email": "email",'
        ' "*.born": {"with": "date", "within_days": 30}}: The mask of "public.users.email" is of'
        ' the kind "scramble", which does not exist',
    ),
    (
        "a mask of no column",
        {"sync_rules": {"mask": {"email": "email"}}},
        'sync_rules.mask must be columns with their masks, like {"public.users.email": "email",'
        ' "*.born": {"with": "date", "within_days": 30}}: The sync rule "mask" names "email"',
    ),
    (
        "several wrong masks",
        {"sync_rules": {"mask": {"*.email": "scramble", "*.name": "name", "*.born": {}}}},
        'sync_rules.mask must be columns with their masks, like {"public.users.email": "email",'
        ' "*.born": {"with": "date", "within_days": 30}}: The mask of "*.email" is of the kind'
        ' "scramble", which does not exist. There are null, fixed, hash, email, phone, name, text,'
        ' number, date, ip, uuid, json, sql. The mask of "*.born" must be a kind',
    ),
    (
        "no column is reviewed",
        {"sync_rules": {"reviewed": ["users.email"]}},
        "sync_rules.reviewed[0] must be a column, like public.users.created_at",
    ),
    (
        "an unknown word",
        {"sync_rules": {"unreviewed": "ignore"}},
        "sync_rules.unreviewed must be",
    ),
    (
        "masks without a key",
        {"sync_rules": {"mask": {"public.users.name": "name"}}},
        "mask_key_secret_arn is missing: the masks of sync_rules depend on a key",
    ),
    (
        "masks by default without a key",
        {"sync_rules": {"unreviewed": "mask"}},
        "mask_key_secret_arn is missing",
    ),
    (
        "emails by which nobody is found",
        {
            "user_pool_id": "eu-central-1_Shop",
            "mask_key_secret_arn": MASK_KEY_SECRET,
            "sync_rules": {"mask": {"*.email": "hash"}},
        },
        "sync_rules.mask masks the email_column public.users.email as hash",
    ),
    (
        "subs of which two may be the same",
        {
            "user_pool_id": "eu-central-1_Shop",
            "mask_key_secret_arn": MASK_KEY_SECRET,
            "sync_rules": {"mask": {"*.cognito_sub": "text"}},
        },
        "sync_rules.mask masks the sub_column public.users.cognito_sub as text: new rows have",
    ),
    *[
        (
            f"the {side} database's secret for the key",
            {
                "mask_key_secret_arn": SECRETS[f"{side}_secret_arn"],
                "sync_rules": {"mask": {"public.users.name": "name"}},
            },
            f"mask_key_secret_arn is {side}_secret_arn too",
        )
        for side in ("prod", "staging")
    ],
    ("a key itself", {"mask_key_secret_arn": "0123456789" * 4}, "mask_key_secret_arn must be the"),
    (
        "a mask key of China",
        {"mask_key_secret_arn": MASK_KEY_SECRET.replace(":aws:", ":aws-cn:")},
        "mask_key_secret_arn is in the partition aws-cn, and the stack in aws: nothing of one",
    ),
    (
        "two rules for the email",
        {
            "mask_key_secret_arn": MASK_KEY_SECRET,
            "sync_rules": {"mask": {"p*.users.email": "email", "public.*.email": "null"}},
        },
        "sync_rules.mask: The mask rules",
    ),
    ("no time zone", {"schedule_timezone": "Berlin"}, "schedule_timezone is not a time zone"),
    (
        "an input that the workflow would refuse",
        {"schedule_input": {"sync_congito": True}},
        'schedule_input is not an execution\'s input: "sync_congito" is not a field',
    ),
    (
        "a schedule that would list a pool that is not there",
        {"schedule_expression": "rate(1 day)"},
        "schedule_input asks for Cognito, but user_pool_id is not set",
    ),
    ("no layer", {"layer_dir": "no/such/place"}, "layer_dir must be a directory that contains"),
    ("no VPC's ID", {**NETWORK, "vpc_id": "shop"}, "vpc_id must be a VPC's ID"),
    ("no Region", {"region": "Frankfurt"}, "region must be a Region, like eu-central-1"),
    ("an alias for a key", {"kms_key_arn": KEY.replace("key/", "alias/")}, "kms_key_arn must be"),
    ("a FIFO topic", {"alarm_topic_arn": f"{TOPIC}.fifo"}, "alarm_topic_arn must be the ARN of a"),
    ("a policy's name", {"permissions_boundary_arn": "Edge"}, "permissions_boundary_arn must be"),
    (
        "two addresses",
        {"alarm_email": "a@x.test, b@x.test"},
        "alarm_email must be one e-mail",
    ),
    *[
        (f"no address, {address}", {"alarm_email": address}, "alarm_email must be one e-mail")
        for address in (
            "on-call",
            "on-call@",
            "on-call@shop",
            "on-call@.test",
            "on-call@shop..test",
            "on-call@shop.test.",
            "on-call@-shop.test",
            "on-call@127.0.0.1",
            "@shop.test",
        )
    ],
    (
        "one column for both",
        {"email_column": "email", "sub_column": "email"},
        "sub_column is the email_column too",
    ),
    ("a pool's name", {"user_pool_id": "shop_Pool"}, "user_pool_id must be a user pool's ID"),
    ("a pool's name behind", {"user_pool_id": "eu-central-1_a_b"}, "user_pool_id must be a user"),
    ("a VPC's ID that is too long", {**NETWORK, "vpc_id": "vpc-0123456789"}, "vpc_id must be a"),
    ("letters that an ID has not", {**NETWORK, "subnet_ids": ["subnet-1111111z"]}, "subnet_ids[0]"),
    (
        "a zone's number",
        {**NETWORK, "availability_zones": ["1a", "eu-central-1b"]},
        "availability_zones[0] must",
    ),
    (
        "a zone elsewhere",
        {
            **NETWORK,
            "availability_zones": ["eu-west-1a", "eu-central-1b"],
            "region": "eu-central-1",
        },
        "availability_zones[0] is in another Region than the stack's eu-central-1",
    ),
    (
        "a secret's name with a space",
        {"prod_secret_arn": f"{SECRETS['prod_secret_arn']}".replace("shop", "my shop")},
        "prod_secret_arn must be the complete ARN",
    ),
    ("a tag of AWS's own in capitals", {"tags": {"AWS:team": "shop"}}, "tags must be names"),
    (
        "two tags that a role takes for one",
        {"tags": {"team": "a", "Team": "b"}},
        "tags must be names",
    ),
    (
        "too many tags",
        {"tags": {str(number): "" for number in range(51)}},
        "tags must be names and values that AWS takes as tags, up to 50",
    ),
    (
        "an alarm after no time",
        {"alarm_email": "a@shop.test", "alarm_no_start_hours": 0},
        "alarm_no_start_hours must be a whole number from 1 to 168",
    ),
    (
        "an alarm after longer than alarms evaluate",
        {"alarm_email": "a@shop.test", "alarm_no_start_hours": 169},
        "alarm_no_start_hours must be a whole number from 1 to 168",
    ),
    (
        "an alarm that notifies nobody",
        {"alarm_no_start_hours": 26},
        "alarm_no_start_hours is set, but nobody would be notified: set alarm_email",
    ),
    (
        "one topic for programs and chat",
        {"alarm_topic_arn": TOPIC, "chat_topic_arn": TOPIC},
        "chat_topic_arn is alarm_topic_arn too",
    ),
    (
        "too little disk",
        {"ephemeral_storage_mb": 511},
        "ephemeral_storage_mb must be a whole number",
    ),
    (
        "too much disk",
        {"ephemeral_storage_mb": 10241},
        "ephemeral_storage_mb must be a whole number",
    ),
    (
        "a partition that is not supported",
        {
            "region": "eu-central-1",
            "staging_secret_arn": SECRETS["staging_secret_arn"].replace(":aws:", ":aws-iso:"),
        },
        "staging_secret_arn is in the partition aws-iso; supported are aws, aws-cn, aws-us-gov",
    ),
    (
        "a secret of China",
        {"prod_secret_arn": SECRETS["prod_secret_arn"].replace(":aws:", ":aws-cn:")},
        "prod_secret_arn is in the partition aws-cn, and the stack in aws: nothing of one",
    ),
    (
        "a key of GovCloud",
        {"secrets_kms_key_arns": [KEY, KEY.replace(":aws:", ":aws-us-gov:")]},
        "secrets_kms_key_arns[1] is in the partition aws-us-gov",
    ),
    (
        "a Region of GovCloud",
        {
            "region": "us-gov-west-1",
            "staging_secret_arn": SECRETS["staging_secret_arn"].replace(":aws:", ":aws-us-gov:"),
        },
        "prod_secret_arn is in the partition aws, and the stack in aws-us-gov",
    ),
    (
        "an alarm between two starts",
        {
            "alarm_email": "a@shop.test",
            "schedule_expression": "rate(2 days)",
            "schedule_input": {},
            "alarm_no_start_hours": 48,
        },
        "alarm_no_start_hours is 48, but rate(2 days) may start nothing for 50 hours",
    ),
    (
        "an address and a topic",
        {"alarm_email": "a@shop.test", "alarm_topic_arn": TOPIC},
        "alarm_email and alarm_topic_arn are both set",
    ),
    (
        "a key elsewhere",
        {"region": "eu-west-1", "kms_key_arn": KEY},
        "kms_key_arn is in eu-central-1; it must be in the stack's eu-west-1",
    ),
    (
        "a topic elsewhere",
        {"region": "eu-west-1", "alarm_topic_arn": TOPIC},
        "alarm_topic_arn is in eu-central-1",
    ),
    (
        "the key of no secret",
        {"secrets_kms_key_arns": [KEY, KEY.replace("eu-central-1", "us-east-1")]},
        "secrets_kms_key_arns[1] is in us-east-1, where none of the secrets is",
    ),
    ("more time than Lambda grants", {"timeout_seconds": 901}, "timeout_seconds must be a whole"),
    ("less time than a sync needs", {"timeout_seconds": 59}, "timeout_seconds must be a whole"),
    (
        "no part at once",
        {"parts_concurrency": 0},
        "parts_concurrency must be a whole number from 1",
    ),
    (
        "too many parts",
        {"parts_concurrency": 1001},
        "parts_concurrency must be a whole number from",
    ),
    ("half a part", {"parts_concurrency": 1.5}, "parts_concurrency must be a whole number"),
    ("parts by a flag", {"in_parts": True}, "in_parts must be"),
    ("parts at another time", {"in_parts": "always"}, "in_parts must be"),
    ("half a second", {"timeout_seconds": 90.5}, "timeout_seconds must be a whole number"),
    ("more memory than Lambda grants", {"memory_mb": 10241}, "memory_mb must be a whole number"),
    ("a retention that is not one", {"log_retention_days": 8}, "log_retention_days must be one of"),
    ("a tag of AWS's own", {"tags": {"aws:team": "shop"}}, "tags must be names and values"),
    ("a tag that is no string", {"tags": {"cost": 1}}, "tags.cost must be a string"),
    ("no window", {"schedule_window_minutes": 0}, "schedule_window_minutes must be a whole"),
    ("too many starts", {"schedule_retry_attempts": 186}, "schedule_retry_attempts must be a"),
    ("too late", {"schedule_retry_minutes": 1441}, "schedule_retry_minutes must be a whole"),
    ("no certificates", {"ca_bundle": "cdk.json"}, "ca_bundle must be a PEM file"),
    ("no file", {"ca_bundle": "no/such/file.pem"}, "ca_bundle must be a PEM file"),
]


@pytest.mark.parametrize(
    ("settings", "sentence"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_a_wrong_setting_is_refused_by_name(settings: dict[str, Any], sentence: str) -> None:
    assert begin_with(problems_of({**SECRETS, **settings}), sentence)


@pytest.mark.parametrize("field", sorted(SECRETS))
def test_a_missing_setting_is_refused_by_name(field: str) -> None:
    settings = {name: value for name, value in SECRETS.items() if name != field}
    assert begin_with(problems_of(settings), f"{field} is missing and has no default, unless")
