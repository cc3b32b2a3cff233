"""The nouns of the refill workflow. Rows only: verbs live in `review/workflow`, sending in `review/delivery.py`."""

from review.models.alarms import Alarm, MorningReport
from review.models.covering import CoverageMove, MoveEnd
from review.models.dispatches import SCRIPT_KINDS, Dispatch, DispatchKind, Lane, ReplyPurpose
from review.models.figures import DayFigures
from review.models.inbox import EventKind, EventLink, InboundEvent, Origin, Progress
from review.models.learning import AliasEnd, EntryAlias, ReadingCorrection
from review.models.outgoing import ChangeEvent
from review.models.reports import FillReport, NetworkMail
from review.models.requests import (
    Comment,
    FormReceipt,
    Kind,
    Queue,
    RefillRequest,
    Source,
)
from review.models.runs import AuditPiece, AuditRun
from review.models.signing import EpcsDay, Incident, Preparation, Signature
from review.models.tokens import ApiReceipt, ApiToken, Scope

__all__ = [
    "SCRIPT_KINDS",
    "Alarm",
    "AliasEnd",
    "ApiReceipt",
    "ApiToken",
    "AuditPiece",
    "AuditRun",
    "ChangeEvent",
    "Comment",
    "CoverageMove",
    "DayFigures",
    "Dispatch",
    "DispatchKind",
    "EntryAlias",
    "EpcsDay",
    "EventKind",
    "EventLink",
    "FillReport",
    "FormReceipt",
    "InboundEvent",
    "Incident",
    "Kind",
    "Lane",
    "MorningReport",
    "MoveEnd",
    "NetworkMail",
    "Origin",
    "Preparation",
    "Progress",
    "Queue",
    "ReadingCorrection",
    "RefillRequest",
    "ReplyPurpose",
    "Scope",
    "Signature",
    "Source",
]
