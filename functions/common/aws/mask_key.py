"""The mask key from Secrets Manager."""

import json

from common.aws.secrets import read_secret
from common.errors import ConfigurationError
from common.masking.keys import MaskKey

FIELD = "mask_key"
JSON_BEGINS_WITH = ("{", "[", '"')


def read_mask_key(arn: str) -> MaskKey:
    """Return the key in a secret: its text, or the field "mask_key" of a JSON object.

    White space around it does not count: a file has a line break at its end, the command's variable
    has none.

    Raises:
        ConfigurationError: the ARN is malformed, the secret cannot be read, or it holds no key, or
            one that is too short. No value is shown.
    """
    text = read_secret(arn, "mask_key_secret_arn").strip()
    key = _field_of(text) if text.startswith(JSON_BEGINS_WITH) else text
    if not key:
        # Without a cause: a JSON error quotes the document.
        raise ConfigurationError(
            f"The secret {arn} holds no mask key: it must be the key itself, or a JSON object with"
            f' the field "{FIELD}". Create a key with: openssl rand -hex 32'
        )
    try:
        return MaskKey(key)
    except ConfigurationError as error:
        raise error.adding(f"It is in the secret {arn}.") from error


def _field_of(text: str) -> str:
    """Return the key in a JSON text; an empty one if there is none."""
    try:
        secret = json.loads(text)
    except ValueError:
        return ""
    key = secret.get(FIELD) if isinstance(secret, dict) else None
    return key.strip() if isinstance(key, str) else ""
