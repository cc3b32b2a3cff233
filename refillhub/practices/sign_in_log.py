"""What happens at the door, told to the audit trail of every practice the person belongs to.

The sign-in libraries announce by signals; these receivers are the only ones in the product. They never decide anything.
"""

from __future__ import annotations


def connect() -> None:
    """Attach the receivers; called once, when the app is ready."""
