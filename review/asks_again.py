"""A stored request as an ask once more: on a chart read now, for the entry it has or the one a person chose.

Pure translation of rows the caller has read; decides nothing. What was read from the message is taken as stored.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from integrations.models import MirrorMedication, PharmacyEntry
from refillhub.practices.models import Provider
from review import matching, understanding
from review.asks import Ask, Match
from review.charts import Chart
from review.identity import Snapshot
from review.models import Kind, RefillRequest, Source
from rules import facts as f

DANGER = frozenset({"emergency", "symptom", "pregnancy"})


def ask_of(
    *,
    request: RefillRequest,
    kind: Kind,
    chart: Chart,
    match: Match | None,
    snapshot: Snapshot | None,
    snapshot_at: datetime | None,
    snapshot_sealed: bytes | None,
    pharmacy: PharmacyEntry | None,
    kept: Mapping[str, Any],
    reading: f.Reading,
    reasons: tuple[str, ...] = (),
) -> Ask:
    """The ask. `kept` is the opened reading, `match` the entry it is about, None when there is none any more."""
    return Ask(
        practice=request.practice,
        events=tuple(link.event for link in request.event_links.select_related("event")),
        location=request.location,
        kind=kind,
        sender_id=request.sender_id,
        conversation_id=request.conversation_id,
        patient_external_id=request.patient_external_id,
        patient_ref=request.patient_ref,
        snapshot=snapshot,
        snapshot_at=snapshot_at,
        snapshot_sealed=snapshot_sealed,
        reading=reading,
        reading_sealed=bytes(request.reading_sealed) if request.reading_sealed else None,
        match=match,
        entries_matching=kept.get("entries") if match is not None else None,
        pharmacy=pharmacy,
        named_pharmacy=None,
        # Which pharmacy was meant is not asked again at night: a named one is a person's in the morning.
        named_text=kept.get("pharmacy", ""),
        asked_at=request.asked_at,
        channel_source=request.channel_source,
        mirror_age_minutes=chart.age_minutes,
        other_drugs=tuple(
            matching.drug_of(medication=one)
            for one in chart.medications
            if one.is_active
            and one.gone_at is None
            and (match is None or one.external_id != match.medication.external_id)
        ),
        reasons=reasons,
        source=Source(request.source),
    )


def match_of(*, request: RefillRequest, medication: MirrorMedication | None) -> Match | None:
    """The entry as rules and prescriptions need it, with its prescriber of this practice; None for no entry."""
    if medication is None:
        return None
    rows = Provider.objects.filter(practice=request.practice).prefetch_related("spis__location")
    providers = {row.drchrono_doctor_id: row for row in rows}
    return matching.match(medication=medication, practice=request.practice, providers=providers)


def is_chart_theirs(*, request: RefillRequest, snapshot: Snapshot | None) -> bool:
    """Whether the chart was read for this item and is the sender's: only then may an entry of it be chosen."""
    is_read = snapshot is not None and snapshot.source == "chart"
    return is_read and bool(request.patient_external_id) and "identity_differs" not in request.reasons


def speaks_of_danger(*, request: RefillRequest, kept: Mapping[str, Any]) -> bool:
    """Whether the item was read as an emergency, a symptom or pregnancy."""
    summary = understanding.summary_of(dict(kept))
    return summary.is_emergency is True or summary.has_symptom is True or not DANGER.isdisjoint(request.reasons)
