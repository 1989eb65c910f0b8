"""The context that the Lambda runtime hands to a handler."""

from collections.abc import Callable

from aws_lambda_powertools.utilities.typing import LambdaContext

REQUEST_ID = "11111111-2222-3333-4444-555555555555"


class FakeContext(LambdaContext):
    """The context of an invocation; by default it has plenty of time left."""

    _function_name = "fake"
    _function_version = "$LATEST"
    _invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:fake"
    _memory_limit_in_mb = 512
    _aws_request_id = REQUEST_ID
    _log_group_name = "/aws/lambda/fake"
    _log_stream_name = "fake"

    def __init__(self, seconds_left: Callable[[], float] = lambda: 900.0) -> None:
        self._seconds_left = seconds_left

    def get_remaining_time_in_millis(self) -> int:  # type: ignore[override]  # static in the base
        return int(self._seconds_left() * 1000)
