"""`python -m deploy.codes`: the current second-factor codes of the running demo, computed from its own description.

Reads .run/demo-info.json, which the demo writes; it knows no other installation.
"""

import base64
import hashlib
import hmac
import json
import struct
import sys
import time

from deploy.fleet import RUN


def code(*, secret: str, moment: float) -> str:
    """The six digits of RFC 6238 for a base32 secret."""
    key = base64.b32decode(secret.upper() + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(moment) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def main() -> int:
    """Print a line per sign-in; returns the exit status."""
    path = RUN / "demo-info.json"
    if not path.exists():
        print("No demo has run here: make demo")
        return 1
    for row in json.loads(path.read_text()).get("sign_ins", []):
        secret = row.get("totp_secret", "")
        print(f"{row.get('role', ''):15} {row.get('username', ''):25} {code(secret=secret, moment=time.time())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
