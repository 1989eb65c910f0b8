"""Fetches the certificates of the authorities that sign databases' own: `make ca-bundle`.

RDS's authorities sign those of RDS and Aurora, Amazon's public ones those of RDS Proxy:
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.howitworks.html#rds-proxy-security

What was fetched is checked before it replaces the file.
"""

import hashlib
import ssl
import sys
import urllib.request
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TIMEOUT = 30  # seconds
# Amazon's public root authorities: the file, and the SHA-256 of the public key (of the DER of its
# SubjectPublicKeyInfo), as https://www.amazontrust.com/repository/ names them.
AMAZON_ROOTS = {
    "AmazonRootCA1.pem": "fbe3018031f9586bcbf41727e417b7d1c45c2f47f93be372a17b96b50757d5a2",
    "AmazonRootCA2.pem": "7f4296fc5b6a4e3b35d3c369623e364ab1af381d8fa7121533c9d6c633ea2461",
    "AmazonRootCA3.pem": "36abc32656acfc645c61b71613c4bf21c787f5cabbee48348d58597803d7abc9",
    "AmazonRootCA4.pem": "f7ecded5c66047d28ed6466b543c40e0743abe81d109254dcf845d4c2c7853c5",
}
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def main(
    databases: str, roots: str, file: Path, fingerprints: dict[str, str] = AMAZON_ROOTS
) -> int:
    """Fetch both, print what they contain, and return the exit code.

    Args:
        databases: the address of the bundle of RDS's authorities.
        roots: the address of the folder of Amazon's public ones.
        file: what they are written to.
        fingerprints: the files in that folder, and the SHA-256 of each one's public key.
    """
    url = databases
    try:
        texts = [_fetch(url)]
        certificates = _count_certificates(texts[0])
        for name, fingerprint in fingerprints.items():
            url = f"{roots}/{name}"
            texts.append(_fetch(url))
            _check_fingerprint(texts[-1], fingerprint)
    except (OSError, ValueError) as error:  # an SSLError is one
        print(f"No certificates came from {url}: {error}", file=sys.stderr)
        return 1
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".fresh")
    fresh.write_text("".join(f"{text.rstrip()}\n" for text in texts))
    fresh.replace(file)  # atomically
    print(
        f"{file}: {certificates} certificates for RDS and Aurora, {len(fingerprints)} for RDS"
        f' Proxy. Set "ca_bundle": "{file}" and deploy.'
    )
    return 0


def _fetch(url: str) -> str:
    # The Makefile has the address; a caller of make can set another.
    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:  # noqa: S310
        body: bytes = answer.read()
        return body.decode("ascii")


def _count_certificates(bundle: str) -> int:
    """Return how many certificates a PEM text contains.

    Raises:
        ValueError, ssl.SSLError: it contains none, or something else.
    """
    # OpenSSL reads as far as it can, and so accepts a truncated file.
    certificates = bundle.count(BEGIN)
    if bundle.count(END) != certificates:
        raise ValueError("the file is truncated")
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=bundle)
    return certificates


def _check_fingerprint(text: str, fingerprint: str) -> None:
    """Check that a PEM text is one certificate, with the public key that is expected.

    Raises:
        ValueError: it is not.
    """
    (certificate,) = x509.load_pem_x509_certificates(text.encode())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    found = hashlib.sha256(key).hexdigest()
    if found != fingerprint:
        raise ValueError(f"its public key is not Amazon's: {found} instead of {fingerprint}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
