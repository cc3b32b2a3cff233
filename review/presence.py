"""Who has a card open just now: kept for a minute in the cache by ids, shown to whoever opens the same card.

Only a courtesy: losing it loses nothing, and the version on a card decides who was first.
"""

import uuid
from datetime import datetime, timedelta

from django.core.cache import cache

from refillhub.practices.models import User

STAYS = timedelta(seconds=45)


def note(*, request_id: uuid.UUID, user: User, now: datetime) -> list[str]:
    """This person looks at the card now; returns the names of the others who do. One query where there are any."""
    key = f"card:{request_id}"
    seen: dict[str, str] = cache.get(key) or {}
    fresh = {one: at for one, at in seen.items() if timedelta(0) <= now - datetime.fromisoformat(at) < STAYS}
    others = [one for one in fresh if one != str(user.pk)]
    fresh[str(user.pk)] = now.isoformat()
    cache.set(key, fresh, timeout=int(STAYS.total_seconds()))
    if not others:
        return []
    return list(User.objects.filter(pk__in=others).order_by("full_name").values_list("full_name", flat=True))
