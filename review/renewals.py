"""A pharmacy's renewal request (RxRenewalRequest) read into an ask: whose it is, which list entry, what differs.

Matched by our own prescription first (message id, then order number), else by patient and drug; only the first kind can
ever be automatic (contract 3.3). Reads the chart: network, never inside a transaction.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from integrations.klara.types import KlaraPatient
from integrations.models import Connection, MirrorMedication
from integrations.surescripts import script_codes
from integrations.surescripts.script_model import NetworkMessage, Prescription
from refillhub.practices import references
from refillhub.practices.models import Practice, Provider, Spi
from review import charts, clinical, identity, matching, pharmacies, understanding, workflow
from review.asks import Ask, Match, Renewal
from review.charts import Chart
from review.models import Dispatch, Kind, NetworkMail, RefillRequest, Source
from rules import directions, vocabulary
from rules import facts as f
from rules.intake import normalise
from rules.intake import reading as r


@dataclass(frozen=True, slots=True)
class Known:
    """What ties the letter to us. `ours`: the request whose prescription it is about."""

    chart: Chart
    ours: RefillRequest | None
    is_same_person: bool


PATIENCE = timedelta(minutes=10)
"""A chart that does not answer is asked again for so long; then the letter goes to a person as it is."""


class ChartSilent(Exception):
    """The chart does not answer just now; the letter is taken in later."""


def is_patient(*, mail: NetworkMail, now: datetime) -> bool:
    """Whether this letter may still wait for a chart that is silent."""
    return now - mail.received_at < PATIENCE


def take_in(*, practice: Practice, renewal: Renewal, now: datetime) -> RefillRequest | None:
    """Open a request for this letter; None when it opened one already. Raises ChartSilent."""
    ask = ask_of(practice=practice, renewal=renewal, now=now)
    if "chart_unreached" in ask.reasons and is_patient(mail=renewal.mail, now=now):
        raise ChartSilent
    return workflow.take_in_renewal(ask=ask, now=now)


def ask_of(*, practice: Practice, renewal: Renewal, now: datetime) -> Ask:
    """The ask of a renewal request; what is not surely known stays unknown and leads to a person."""
    message = renewal.message
    connection = charts.connection_of(practice)
    known = _known(practice, connection, message, now)
    dispensed = message.dispensed
    fitting = _entries(known, dispensed) if dispensed is not None else []
    spis = Spi.objects.select_related("provider", "location").filter(practice=practice)
    owner = spis.filter(spi=message.header.to.id).first()
    match = _match(practice, fitting[0]) if len(fitting) == 1 else None
    pharmacy = pharmacies.by_ncpdp(stage=practice.stage, ncpdp_ids=[message.header.sender.id]).get(
        message.header.sender.id
    )
    snapshot = known.chart.snapshot
    reading = _reading(known, dispensed, match, len(fitting))
    patient_id = known.chart.patient_external_id
    ask = Ask(
        practice=practice,
        events=(),
        location=owner.location if owner else None,
        kind=Kind.REFILL,
        source=Source.PHARMACY,
        renewal=renewal,
        sender_id="",
        conversation_id="",
        patient_external_id=patient_id,
        patient_ref=references.patient_ref(practice=practice, patient_id=patient_id) if patient_id else "",
        snapshot=snapshot or _as_written(message),
        snapshot_at=now if snapshot else None,
        snapshot_sealed=_sealed(snapshot or _as_written(message), practice),
        reading=reading,
        reading_sealed=_kept(reading, message, practice, len(fitting)),
        match=match,
        entries_matching=len(fitting),
        pharmacy=pharmacy,
        named_pharmacy=None,
        named_text="",
        asked_at=message.header.sent_at,
        channel_source="network",
        mirror_age_minutes=known.chart.age_minutes,
        other_drugs=_others(known.chart, match),
        reasons=_reasons(known, message, match, owner, pharmacy is not None),
    )
    try:
        return clinical.completed(asks=[ask], connection=connection, now=now)[0]
    except charts.Busy:
        return ask  # what was not read is a person's


def _known(practice: Practice, connection: Connection | None, message: NetworkMessage, now: datetime) -> Known:
    ours_ = ours(practice=practice, message=message)
    asked = message.patient
    if asked is None:
        return Known(Chart(reason="unmatched_patient"), ours_, is_same_person=False)
    person = KlaraPatient(
        id="", first_name=asked.name.first, last_name=asked.name.last, date_of_birth=asked.born_on, phone=asked.phone,
        is_verified=False, external_ids=(), merged_into="",
    )  # fmt: skip
    if ours_ is not None and ours_.patient_external_id:
        chart = charts.read(
            practice=practice, connection=connection, patient_id=ours_.patient_external_id, now=now
        )
    else:
        chart = charts.find(practice=practice, connection=connection, sender=person, now=now)
    same = chart.snapshot is not None and not charts.differs(snapshot=chart.snapshot, sender=person)
    same = same and asked.born_on is not None
    return Known(chart, ours_, is_same_person=same)


def ours(*, practice: Practice, message: NetworkMessage) -> RefillRequest | None:
    """The request whose prescription this letter names: by message id, else by order number."""
    rows = Dispatch.objects.filter(practice=practice, kind="newrx").select_related("request").defer("document_sealed")
    for name, value in (("message_id", message.header.relates_to), ("order_number", message.header.order_number)):
        found = rows.filter(**{name: value}).order_by("-queued_at").first() if value else None
        if found is not None:
            return found.request
    return None


def _entries(known: Known, dispensed: Prescription) -> list[MirrorMedication]:
    """Active list entries that are the drug asked for, in ingredient, strength and form."""
    drug, known_drugs = dispensed.drug, vocabulary.current()
    asked = normalise.identify(name=drug.description, rxcui=drug.rxcui, ndc=drug.ndc, lexicon=known_drugs)
    if not asked.ingredients or asked.agree is False:
        return []
    wanted = (tuple(sorted(asked.ingredients)), asked.strength, asked.form)
    return [
        row
        for row in known.chart.medications
        if row.is_active and row.gone_at is None and _points(matching.drug_of(medication=row)) == wanted
    ]


def _points(drug: f.Drug) -> tuple[tuple[str, ...], str, str]:
    return (drug.ingredients, drug.strength, drug.form)


def _match(practice: Practice, medication: MirrorMedication) -> Match:
    rows = Provider.objects.filter(practice=practice).prefetch_related("spis__location")
    return matching.match(
        medication=medication, practice=practice, providers={row.drchrono_doctor_id: row for row in rows}
    )


def _reading(known: Known, dispensed: Prescription | None, match: Match | None, fitting: int) -> f.Reading:
    """The letter as the rules see it. A strength or form that differed would have matched no entry."""
    entry = match.entry if match is not None else None
    quantity = entry.dispense_quantity if entry is not None else None
    return f.Reading(
        kind=f.Kind.refill,
        tag=f.Tag.refill,
        is_plain=dispensed is not None and not dispensed.note,
        doubts=(),
        strength_differs=False if fitting else None,
        form_differs=False if fitting else None,
        quantity_differs=None if dispensed is None or quantity is None else dispensed.quantity != quantity,
        directions_differ=None if dispensed is None or entry is None else not _same_sig(dispensed.sig, entry.sig_text),
        channel=f.Channel.network,
        author=f.Author.pharmacy,
        is_identity_verified=known.ours is not None and known.is_same_person,
        is_emergency=False,
        has_symptom=False,
        is_out_of_drug=False,
        confidence_percent=100,
        source="surescripts",
    )


def _same_sig(one: str, other: str) -> bool:
    """The same words, or the same daily amount exactly."""
    if _bare(one) == _bare(other):
        return bool(_bare(one))
    first, second = directions.read_sig(text=one), directions.read_sig(text=other)
    return first.is_known and second.is_known and first == second


def _bare(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9./]+", text.lower().rstrip(". ")))


def _reasons(
    known: Known, message: NetworkMessage, match: Match | None, owner: Spi | None, has_pharmacy: bool
) -> tuple[str, ...]:
    """What a person must look at whatever the rules say, most telling first."""
    found = []
    if known.chart.reason:
        found.append(known.chart.reason)
    if known.chart.snapshot is not None and not known.is_same_person:
        found.append("identity_differs")
    if known.ours is None:
        found.append("renewal_unmatched")
    if owner is None or (match is not None and (match.prescriber is None or match.prescriber.id != owner.provider_id)):
        found.append("renewal_elsewhere")
    default = known.chart.snapshot.default_pharmacy if known.chart.snapshot is not None else ""
    if not has_pharmacy or (default and default != message.header.sender.id):
        found.append("pharmacy_differs")
    return tuple(found)


def _others(chart: Chart, match: Match | None) -> tuple[f.Drug, ...] | None:
    if chart.age_minutes is None:
        return None
    own = match.medication.external_id if match is not None else ""
    rows: Sequence[MirrorMedication] = chart.medications
    return tuple(
        matching.drug_of(medication=row)
        for row in rows
        if row.external_id != own and row.is_active and row.gone_at is None
    )


def _as_written(message: NetworkMessage) -> identity.Snapshot | None:
    """The patient as the pharmacy names them, for the card of a request nobody in the chart was found for."""
    one = message.patient
    if one is None:
        return None
    return identity.Snapshot(
        first_name=one.name.first,
        last_name=one.name.last,
        birth_date=one.born_on.isoformat() if one.born_on else "",
        phone=one.phone,
        source="pharmacy",
    )


def _sealed(snapshot: identity.Snapshot | None, practice: Practice) -> bytes | None:
    return identity.seal(snapshot=snapshot, practice=practice) if snapshot is not None else None


def _kept(reading: f.Reading, message: NetworkMessage, practice: Practice, entries: int) -> bytes:
    """The letter as the card shows it, in place of a patient's words."""
    empty = r.Reading(primary=r.Intent.refill)
    words = r.Message(text=said(message), author=r.Author.unknown, source=r.Source.unknown,
                      sent_at=message.header.sent_at)  # fmt: skip
    return understanding.keep(
        reading=replace(empty, release=vocabulary.current().release),
        thread=r.Thread(messages=(words,)),
        summary=reading,
        mention=None,
        practice=practice,
        entries=entries,
    )


def said(message: NetworkMessage) -> str:
    """What the pharmacy asks for, in a sentence."""
    asked, name = message.dispensed, message.pharmacy.name if message.pharmacy else message.header.sender.id
    if asked is None:
        return f"{name} asks for a renewal."
    parts = [f"{name} asks to renew {asked.drug.description}"]
    if asked.quantity is not None:
        parts.append(f"quantity {asked.quantity.normalize():f}")
    if asked.days_supply is not None:
        parts.append(f"{asked.days_supply} days")
    if asked.requested_refills is not None:
        parts.append(f"{asked.requested_refills} fills asked for")
    if asked.last_filled_on is not None:
        parts.append(f"last filled {asked.last_filled_on.isoformat()}")
    again = " Asked before." if message.is_repeated_ask else ""
    note = f" Note: {asked.note}" if asked.note else ""
    return f"{', '.join(parts)}. Directions: {asked.sig}{note}{again}"


def change_said(message: NetworkMessage) -> str:
    """What the pharmacy asks to change, in a sentence; drugs and codes, no patient."""
    code, asked = message.change_code, message.prescribed
    words = [script_codes.CHANGE_CODES.get(code, "A change"), *(
        script_codes.CHANGE_SUB_CODES.get(one, one) for one in message.change_sub_codes)]  # fmt: skip
    parts = [f"{', '.join(words)} ({code})"]
    if asked is not None:
        parts.append(f"for {asked.drug.description}")
    if message.requested:
        parts.append("asks for " + " or ".join(one.drug.description for one in message.requested))
    return ": ".join(filter(None, ("; ".join(parts), message.change_text)))
