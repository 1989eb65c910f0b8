"""Masked addresses in plain Python: shares no code with the masks, and no SQL."""

import hashlib
import hmac

KEY = "0123456789abcdef0123456789abcdef"
OTHER_KEY = "fedcba9876543210fedcba9876543210"
LOOK_ALIKES = "\u0130\u212a"  # whose small letters are ASCII's


def masked(email: str, key: str = KEY, *, digits: int = 24, has_suffix: bool = True) -> str:
    """Return what the sync writes to staging for an address of production."""
    compared = "".join(each if each in LOOK_ALIKES else each.lower() for each in email.strip())
    of_kind = _derived(key, "kind email")[:16]
    digest = hashlib.sha256(of_kind + compared.encode()).hexdigest()[:digits]
    suffix = "-" + hashlib.sha256(of_kind + email.encode()).hexdigest()[:8]
    tag = _derived(key, "tag").hex()[:4]
    return f"{digest}{suffix if has_suffix and email != compared else ''}@m{tag}.invalid"


def as_compared(email: str, key: str = KEY, *, digits: int = 24) -> str:
    """Return an address as the remap compares and reports it: masked, and without a suffix."""
    return masked(email, key, digits=digits, has_suffix=False)


def _derived(key: str, what: str) -> bytes:
    return hmac.digest(key.encode(), f"staging-sync mask 1 {what}".encode(), hashlib.sha512)
