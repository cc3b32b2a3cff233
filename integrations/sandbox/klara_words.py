"""Short words of the test desk for common troubles, put into the full ones: {"webhook": "lost"} is {"lose": true}.

Pure; unknown words are refused, the rest of a wish passes unchanged.
"""

from typing import Any

LATE_SECONDS = 1800.0
TROUBLES: dict[str, dict[str, Any]] = {
    "send": {},
    "lost": {"lose": True},
    "delayed": {"delay": LATE_SECONDS},
    "duplicate": {"repeat": 2},
    "reordered": {"hold": True},
    "wrong_secret": {"wrong_secret": True},
    "old_secret": {"signing": "old"},
    "unsigned": {"signing": "none"},
    "altered": {"alter_body": True},
}
RENAMED = {"times": "repeat", "delay_seconds": "delay", "skew_seconds": "shift", "event": "event_id"}


class BadWord(ValueError):
    """No such trouble."""


def full(wish: dict[str, Any]) -> dict[str, Any]:
    """The wish in full words. Raises BadWord."""
    made = dict(wish)
    trouble = made.pop("webhook", "send")
    if trouble not in TROUBLES:
        raise BadWord(f"webhook must be one of {', '.join(TROUBLES)}")
    made = {**TROUBLES[trouble], **made}
    for short, long in RENAMED.items():
        if short in made:
            made[long] = made.pop(short)
    if made.pop("proxy", False):
        made["author"] = "proxy"
    if made.pop("new_conversation", False):
        made["conversation"] = "new"
    return made
