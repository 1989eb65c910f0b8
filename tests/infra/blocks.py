"""Parts of an environment's block in cdk.json, and what is wrong with a block."""

from typing import Any

import pytest

from cdk.settings.load import SettingsError, parse_settings

NETWORK: dict[str, Any] = {
    "vpc_id": "vpc-11111111",
    "subnet_ids": ["subnet-11111111", "subnet-22222222"],
    "availability_zones": ["eu-central-1a", "eu-central-1b"],
    "security_group_ids": ["sg-11111111"],
    "has_nat": True,
}
LOOKUP: dict[str, Any] = {
    "account": "111122223333",
    "region": "eu-central-1",
    "vpc_id": "vpc-11111111",
    "vpc_lookup": True,
    "security_group_ids": ["sg-11111111"],
    "has_nat": True,
}


def problems_of(settings: dict[str, Any]) -> tuple[str, ...]:
    """Return what is wrong with a block: sentences that begin with the setting's name."""
    path = "environments.staging"
    with pytest.raises(SettingsError) as refusal:
        parse_settings(settings, path)
    problems = refusal.value.problems
    assert all(problem.startswith(f"{path}.") and problem.endswith(".") for problem in problems)
    assert str(refusal.value).splitlines() == list(problems)
    return tuple(problem.removeprefix(f"{path}.") for problem in problems)


def begin_with(problems: tuple[str, ...], *sentences: str) -> bool:
    """Return whether the problems begin with these sentences, one each, in this order."""
    return len(problems) == len(sentences) and all(map(str.startswith, problems, sentences))
