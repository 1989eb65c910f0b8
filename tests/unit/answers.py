"""AWS's answers, in the form that botocore gets from the network."""

import io
from collections.abc import Iterator

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

# The method that a test patches to answer instead of AWS.
SEND = "botocore.httpsession.URLLib3Session.send"


class RawBody(io.BytesIO):
    """A response's body as botocore reads it."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()


def answer(status: int, body: bytes = b"") -> AWSResponse:
    return AWSResponse("https://aws.test", status, HTTPHeaders(), RawBody(body))
