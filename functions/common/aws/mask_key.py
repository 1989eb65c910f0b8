"""The mask key from Secrets Manager."""

import json

from common.aws.secrets import read_secret
from common.errors import ConfigurationError
from common.masking.keys import MaskKey

FIELD = "mask_key"


def read_mask_key(arn: str) -> MaskKey:
    """Return the key in a secret: its text, or the field "mask_key" of a JSON object.

    Raises:
        ConfigurationError: the ARN is malformed, the secret cannot be read, or it holds no key, or
            one that is too short. No value is shown.
    """
    text = read_secret(arn, "mask_key_secret_arn")
    try:
        secret = json.loads(text)
    except ValueError:
        secret = text
    key = secret.get(FIELD) if isinstance(secret, dict) else text
    if not isinstance(key, str) or not key:
        raise ConfigurationError(
            f"The secret {arn} holds no mask key: it must be the key itself, or a JSON object with"
            f' the field "{FIELD}". Create a key with: openssl rand -hex 32'
        )
    return MaskKey(key)
