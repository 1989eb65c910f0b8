"""The effects of settings for keys, tags and limits, in a stack that has all of them."""

import json
from pathlib import Path

from cfnlint.api import lint  # type: ignore[import-untyped]  # it ships no types

from cdk.settings.model import Settings
from tests.infra.synthesized import (
    CERTIFICATE,
    CUSTOMER_KEY,
    ROOT,
    Synthesized,
    every_setting,
)

WORKFLOW = ("db_sync", "list_cognito_users", "update_db")  # the packages of its functions
# Each contradicts one that is set.
LEFT_OUT = {"vpc_lookup", "has_nat", "alarm_email"}


def test_the_stack_with_everything_has_every_setting(tmp_path: Path) -> None:
    chosen = every_setting(tmp_path, tmp_path)
    assert chosen.keys() | LEFT_OUT == Settings.model_fields.keys()
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    assert {name for name, value in chosen.items() if value == defaults[name]} == set()


def test_the_bucket_is_encrypted_with_the_customer_s_key(everything: Synthesized) -> None:
    encryption = everything.only("AWS::S3::Bucket")["BucketEncryption"]
    assert encryption["ServerSideEncryptionConfiguration"] == [
        {
            "BucketKeyEnabled": True,
            "ServerSideEncryptionByDefault": {
                "SSEAlgorithm": "aws:kms",
                "KMSMasterKeyID": CUSTOMER_KEY,
            },
        }
    ]


def test_every_log_is_encrypted_with_it_and_has_the_retention_that_is_set(
    everything: Synthesized,
) -> None:
    logs = everything.resources("AWS::Logs::LogGroup")
    assert len(logs) == 5
    assert {(log["KmsKeyId"], log["RetentionInDays"]) for log in logs} == {(CUSTOMER_KEY, 30)}


def test_the_history_of_executions_is_encrypted_with_it(everything: Synthesized) -> None:
    encryption = everything.only("AWS::StepFunctions::StateMachine")["EncryptionConfiguration"]
    assert encryption["Type"] == "CUSTOMER_MANAGED_KMS_KEY"
    assert encryption["KmsKeyId"] == CUSTOMER_KEY


def test_without_it_aws_s_own_keys_encrypt(bare: Synthesized) -> None:
    assert "EncryptionConfiguration" not in bare.only("AWS::StepFunctions::StateMachine")
    assert not [log for log in bare.resources("AWS::Logs::LogGroup") if "KmsKeyId" in log]


def test_every_resource_that_takes_tags_has_them(everything: Synthesized) -> None:
    tagged = {
        resource["Type"]
        for resource in everything.template["Resources"].values()
        if {"Key": "team", "Value": "platform"} in resource["Properties"].get("Tags", [])
        and {"Key": "cost-center", "Value": "4711"} in resource["Properties"]["Tags"]
    }
    assert tagged >= {
        "AWS::S3::Bucket",
        "AWS::Lambda::Function",
        "AWS::Logs::LogGroup",
        "AWS::IAM::Role",
        "AWS::StepFunctions::StateMachine",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::VPCEndpoint",
    }


def test_each_lambda_has_the_memory_and_time_that_are_set(everything: Synthesized) -> None:
    given = {
        package: (function["MemorySize"], function["Timeout"])
        for package in (*WORKFLOW, "write_report")
        for function in [everything.function(package)]
    }
    assert given == {**dict.fromkeys(WORKFLOW, (1769, 600)), "write_report": (512, 60)}


def test_only_db_sync_has_the_disk_that_is_set(everything: Synthesized, full: Synthesized) -> None:
    disks = {package: everything.function(package).get("EphemeralStorage") for package in WORKFLOW}
    assert disks == {"db_sync": {"Size": 2048}, "list_cognito_users": None, "update_db": None}
    assert full.function("db_sync")["EphemeralStorage"] == {"Size": 512}


def test_the_stack_is_protected_from_deletion_where_that_is_set(
    everything: Synthesized, full: Synthesized
) -> None:
    def is_protected(stack: Synthesized) -> bool:
        manifest = json.loads((stack.assembly / "manifest.json").read_text())
        (artifact,) = (
            each
            for each in manifest["artifacts"].values()
            if each["type"] == "aws:cloudformation:stack"
        )
        return bool(artifact["properties"].get("terminationProtection"))

    assert (is_protected(everything), is_protected(full)) == (True, False)


def test_the_certificates_are_where_the_lambdas_that_connect_to_databases_look(
    everything: Synthesized,
) -> None:
    for package in ("db_sync", "update_db"):
        path = everything.variables(package)["DATABASE_CA_BUNDLE"]
        layers = [everything.text(layer) for layer in everything.function(package)["Layers"]]
        assert layers == ["<Lambdas/Layer>", "<Lambdas/CaBundle>"]
        layer = everything.paths("AWS::Lambda::LayerVersion")["Lambdas/CaBundle"]
        unpacked = everything.asset(layer["Content"]["S3Key"])  # to /opt
        assert (unpacked / Path(path).relative_to("/opt")).read_text() == CERTIFICATE


def test_without_certificates_no_lambda_looks_for_them(full: Synthesized) -> None:
    assert len(full.resources("AWS::Lambda::LayerVersion")) == 1
    for package in ("db_sync", "update_db", "list_cognito_users"):
        assert "DATABASE_CA_BUNDLE" not in full.variables(package)


def test_list_cognito_users_which_connects_to_no_database_has_none(everything: Synthesized) -> None:
    assert "DATABASE_CA_BUNDLE" not in everything.variables("list_cognito_users")
    assert len(everything.function("list_cognito_users")["Layers"]) == 1


def test_the_key_policy_of_the_guide_allows_every_service_that_uses_the_key(
    everything: Synthesized,
) -> None:
    guide = (ROOT / "docs" / "deployment.md").read_text()
    section = guide.partition("### A customer managed key's policy")[2]
    policy = json.loads(section.partition("```json")[2].partition("```")[0])
    principals = [statement["Principal"] for statement in policy["Statement"]]
    services = [principal["Service"] for principal in principals if "Service" in principal]
    assert sorted(services) == [
        "cloudwatch.amazonaws.com",
        "delivery.logs.amazonaws.com",
        "events.amazonaws.com",
        "logs.eu-central-1.amazonaws.com",
    ]
    # The service that delivers the log has the same permission as the state machine's role.
    (delivery,) = (entry for entry in policy["Statement"] if "OnItsWay" in entry["Sid"])
    role = everything.paths("AWS::IAM::Policy")["Workflow/StateMachine/Role/DefaultPolicy"]
    contexts = [
        everything.text(condition["kms:EncryptionContext:SourceArn"])
        for statement in role["PolicyDocument"]["Statement"]
        for condition in statement.get("Condition", {}).values()
        if "kms:EncryptionContext:SourceArn" in condition
    ]
    context = delivery["Condition"]["StringEquals"]["kms:EncryptionContext:SourceArn"]
    assert [context.replace("arn:aws:", "arn:<AWS::Partition>:")] == contexts
    key = {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": policy}}
    assert [str(match) for match in lint(json.dumps({"Resources": {"Key": key}}))] == []
