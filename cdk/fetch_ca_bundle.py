"""Fetches the certificates that RDS's own are signed by: `make ca-bundle`.

What arrives is looked at before it takes the place of what is there. Amazon's page about it:
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
"""

import ssl
import sys
import urllib.request
from pathlib import Path

TIMEOUT = 30  # seconds
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def main(url: str, file: Path) -> int:
    """Fetch the bundle, say what it holds, and return the exit code."""
    try:
        bundle = _fetch(url)
        certificates = _count_certificates(bundle)
    except (OSError, ValueError) as error:  # ssl's errors are OSErrors
        print(f"No certificates came from {url}: {error}", file=sys.stderr)
        return 1
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".fresh")
    fresh.write_text(bundle)
    fresh.replace(file)  # whole or not at all
    print(f'{file}: {certificates} certificates. Set "ca_bundle": "{file}" and deploy.')
    return 0


def _fetch(url: str) -> str:
    # The Makefile names the address, and whoever runs it may name another.
    with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:  # noqa: S310
        body: bytes = answer.read()
        return body.decode("ascii")


def _count_certificates(bundle: str) -> int:
    """Return how many certificates a PEM text holds.

    Raises:
        ValueError, ssl.SSLError: it holds none, or something else.
    """
    # OpenSSL reads as far as it can, and so takes a file that was cut.
    certificates = bundle.count(BEGIN)
    if bundle.count(END) != certificates:
        raise ValueError("the file is cut")
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=bundle)
    return certificates


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
