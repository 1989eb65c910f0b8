"""The one logger: JSON lines with a constant message and the data in fields.

It writes to standard error: CloudWatch takes both streams, and the command's standard
output is for its result alone. Tracebacks are not logged, since a driver's message can
hold row contents; a message, a count or a name never does.
"""

import sys

from aws_lambda_powertools import Logger

logger = Logger(service="staging-sync", stream=sys.stderr)
