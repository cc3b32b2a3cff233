"""Programs for the tests of the API: tokens of the scene's people, and calls by them."""

import itertools
from datetime import timedelta

from django.test import Client

from refillhub.practices.models import Membership
from review import tokens
from review.models import ApiToken
from tests.review.rows import NOW

_number = itertools.count(1)
ALL = ("read", "decide", "audit")
BODIES = {
    "approve": {"although": True}, "deny": {"code": "AM"}, "ask-visit": {}, "answer": {"reason": "called"},
    "take-back": {},
}  # fmt: skip


def token(scene, who, *, scopes=None, **values):
    """A live token that acts for this person, and its text; without scopes, with all that the role allows."""
    user = scene.users()[who]
    practice = scene.other if who == "mallory" else scene.practice
    held = Membership.objects.roles_of(user_id=user.id, practice_id=practice.id)
    wanted = scopes or [one for one in ALL if tokens.fits(scope=one, held=held)]
    row, text = tokens.make(practice=practice, user=user, name="A program", scopes=wanted, days=30, by=user, now=NOW)
    if values:
        ApiToken.objects.filter(pk=row.pk).update(**values)
    return row, text


class Program:
    """Calls with one token and no cookies."""

    def __init__(self, text):
        self.client, self.text = Client(), text

    def headers(self, **more):
        return {"Authorization": f"Bearer {self.text}", **more}

    def get(self, path, **query):
        return self.client.get(f"/api/v1/{path}", query, headers=self.headers())

    def post(self, path, body, *, key=None):
        more = {"Idempotency-Key": key if key is not None else f"key-{next(_number):06d}"}
        return self.client.post(
            f"/api/v1/{path}", body, content_type="application/json", headers=self.headers(**more)
        )

    def act(self, name, row, *, key=None, **more):
        body = {"version": row.version, **BODIES[name], **more}
        return self.post(f"requests/{row.id}/{name}/", body, key=key)


def program(scene, who, **values):
    """A program with a token of this person."""
    return Program(token(scene, who, **values)[1])


LATER = NOW + timedelta(days=31)
