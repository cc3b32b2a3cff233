"""The practice's written policy: attach a file, name its clauses. Each step is a transaction with its audit entry.

The file is kept as it came and only ever handed out as a download; nothing of it is interpreted.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.db import IntegrityError, transaction

from audit import log
from audit.events import Actor, ActorKind, Draft
from refillhub.practices.models import Practice, User
from rules.models import PolicyClause, WrittenPolicy

MAX_BYTES = 5_000_000
_PDF = b"%PDF-"


class NotAPolicy(ValueError):
    """The file cannot be attached; the message says what would be right."""


class ClauseTaken(ValueError):
    """The number names another clause already."""


def attach(*, practice: Practice, by: User, title: str, body: bytes, now: datetime) -> WrittenPolicy:
    """Keep a PDF or a UTF-8 text of at most 5 MB; the same file again is the same policy. Raises NotAPolicy."""
    media = _media(body)
    sha = hashlib.sha256(body).hexdigest()
    with transaction.atomic(durable=True):
        Practice.objects.select_for_update().get(pk=practice.pk)
        found = WrittenPolicy.objects.filter(practice=practice, sha256=sha).first()
        if found is not None:
            return found
        policy = WrittenPolicy.objects.create(
            practice=practice, title=title, media_type=media, body=body, sha256=sha, uploaded_by=by, uploaded_at=now
        )
        _note(practice, "policy.uploaded", by, now, {"policy": str(policy.pk), "sha256": sha})
    return policy


def _media(body: bytes) -> str:
    if not body:
        raise NotAPolicy("The file is empty.")
    if len(body) > MAX_BYTES:
        raise NotAPolicy(f"The file is larger than {MAX_BYTES // 1_000_000} MB.")
    if body.startswith(_PDF):
        return "application/pdf"
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise NotAPolicy("Attach a PDF or a plain text (UTF-8).") from None
    if "\x00" in text:
        raise NotAPolicy("Attach a PDF or a plain text (UTF-8).")
    return "text/plain"


def name_clause(
    *, policy: WrittenPolicy, by: User, number: str, title: str, page: int | None, now: datetime
) -> PolicyClause:
    """Name one clause. The same number and title again changes nothing; another title raises ClauseTaken."""
    try:
        with transaction.atomic(durable=True):
            clause, is_new = PolicyClause.objects.get_or_create(
                policy=policy, number=number,
                defaults={"title": title, "page": page, "named_by": by, "named_at": now},
            )  # fmt: skip
            if clause.title != title:
                raise ClauseTaken(f"Clause {number} is \u201c{clause.title}\u201d already; decisions may cite it.")
            if is_new:
                data = {"policy": str(policy.pk), "clause": number}
                _note(policy.practice, "policy.clause_named", by, now, data)
    except IntegrityError as error:
        raise ClauseTaken(f"Clause {number} was named by somebody else just now.") from error
    return clause


def newest(*, practice: Practice) -> WrittenPolicy | None:
    """The policy attached last."""
    return WrittenPolicy.objects.filter(practice=practice).defer("body").order_by("-uploaded_at").first()


def _note(practice: Practice, event: str, by: User, now: datetime, data: dict[str, str]) -> None:
    actor = Actor(ActorKind.person, str(by.pk))
    log.record(now=now, draft=Draft(practice_id=practice.pk, event=event, actor=actor, trigger="rules", data=data))
