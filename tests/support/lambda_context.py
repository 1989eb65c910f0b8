"""The context that the Lambda runtime hands to a handler."""

from aws_lambda_powertools.utilities.typing import LambdaContext


class FakeContext(LambdaContext):
    """The context of an invocation with plenty of time left."""

    _function_name = "fake"
    _function_version = "$LATEST"
    _invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:fake"
    _memory_limit_in_mb = 512
    _aws_request_id = "11111111-2222-3333-4444-555555555555"
    _log_group_name = "/aws/lambda/fake"
    _log_stream_name = "fake"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 900_000
