"""All settings that are wrong are named at once."""

from tests.infra.blocks import begin_with, problems_of
from tests.infra.synthesized import SECRETS


def test_all_malformed_settings_are_named_at_once_and_unknown_ones_first() -> None:
    problems = problems_of(
        {
            "staging_secret_arn": "shop/staging",
            "region": "Frankfurt",
            "sync_rules": {"exclud": [], "includ": [], "keep": ["cognito_sub"]},
            "user_pool": "eu-central-1_Shop",
            "memory_mb": 1,
            "schedule_time_zone": "UTC",
        }
    )

    assert begin_with(
        problems,
        "sync_rules.exclud is not a setting; known are event_triggers_ok, exclude, follow,"
        " include, keep, mask, parallel_query, reviewed, unreviewed.",
        "sync_rules.includ is not a setting.",
        "user_pool is not a setting; known are account, alarm_email, ",
        "schedule_time_zone is not a setting.",
        "staging_secret_arn must be the complete ARN of a secret",
        "region must be a Region",
        "sync_rules.keep[0] must be schema, table and column",
        "memory_mb must be a whole number from 128 to 10240",
    )


def test_all_settings_that_contradict_each_other_are_named_at_once() -> None:
    problems = problems_of(
        {
            "prod_secret_arn": SECRETS["prod_secret_arn"],
            "region": "us-gov-west-1",
            "security_group_ids": ["sg-11111111"],
            "vpc_endpoints": True,
            "schedule_timezone": "Berlin",
            "schedule_expression": "rate(1 day)",
            "alarm_no_start_hours": 2,
            "sub_column": "email",
        }
    )

    assert begin_with(
        problems,
        "staging_secret_arn is missing and has no default, unless staging_database has",
        "prod_secret_arn is in the partition aws, and the stack in aws-us-gov",
        "vpc_id is missing: vpc_id, subnet_ids, availability_zones, security_group_ids are set",
        "subnet_ids is missing: ",
        "availability_zones is missing: ",
        "schedule_timezone is not a time zone",
        "schedule_input asks for Cognito, but user_pool_id is not set",
        "alarm_no_start_hours is set, but nobody would be notified",
        "alarm_no_start_hours is 2, but rate(1 day) may start nothing for 26 hours",
        "sub_column is the email_column too",
    )


def test_all_that_is_wrong_about_masks_is_named_at_once() -> None:
    problems = problems_of(
        {
            **SECRETS,
            "user_pool_id": "eu-central-1_Shop",
            "sync_rules": {"mask": {"public.users.*": "name", "public.users.id": "hash"}},
        }
    )

    assert begin_with(
        problems,
        "mask_key_secret_arn is missing",
        "sync_rules.mask masks the email_column public.users.email as name",
        "sync_rules.mask masks the sub_column public.users.cognito_sub as name",
    )


def test_all_that_is_wrong_about_followers_is_named_at_once() -> None:
    follow = {
        "public.*.owner": "public.users.cognito_sub",
        "public.users.cognito_sub": "public.users.cognito_sub",
        "public.b*.settings": {"column": "public.users.cognito_sub", "paths": ["$.a"]},
        "public.*s.settings": {"column": "public.users.cognito_sub", "paths": ["$.b"]},
    }
    kept = ["public.baskets.settings", "public.shops.owner"]

    problems = problems_of({**SECRETS, "sync_rules": {"follow": follow, "keep": kept}})
    of_another = problems_of({**SECRETS, "sub_column": "sub", "sync_rules": {"follow": follow}})

    assert begin_with(
        problems,
        'sync_rules.follow: The follow rules "public.b*.settings" and "public.*s.settings" both',
        'sync_rules.follow names public.shops.owner by "public.*.owner", and sync_rules.keep names',
        "sync_rules.follow names the sub_column public.users.cognito_sub itself",
    )
    assert begin_with(of_another, "sync_rules.follow names public.users.cognito_sub as the column")


def test_every_arn_of_another_partition_is_named() -> None:
    assert begin_with(
        problems_of({**SECRETS, "region": "us-gov-west-1"}),
        "prod_secret_arn is in the partition aws, and the stack in aws-us-gov",
        "staging_secret_arn is in the partition aws, and the stack in aws-us-gov",
    )


def test_arns_are_not_compared_with_a_stack_s_partition_that_is_not_supported() -> None:
    iso = SECRETS["staging_secret_arn"].replace(":aws:", ":aws-iso:")

    assert begin_with(
        problems_of({**SECRETS, "staging_secret_arn": iso}),
        "staging_secret_arn is in the partition aws-iso; supported are aws, aws-cn, aws-us-gov",
    )
