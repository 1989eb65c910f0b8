"""The errors of the Lambda service that the workflow retries."""

SERVICE_ERRORS = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)
# What Lambda answers while a function's network interface is created again, which takes 90 s after
# weeks without an invocation, or while EC2 has no room for it.
NETWORK_ERRORS = (
    "Lambda.ResourceNotReadyException",
    "Lambda.ResourceConflictException",
    "Lambda.ENINotReadyException",
    "Lambda.EC2ThrottledException",
    "Lambda.EC2UnexpectedException",
    "Lambda.SubnetIPAddressLimitReachedException",
    "Lambda.ENILimitReachedException",
)
