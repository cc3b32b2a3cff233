"""The floor in code: one small function per law or safety rule, run after every recipe.

A guard sees the case and returns a Finding or None; it can only make an outcome more cautious, and nothing in a
practice's configuration switches one off. A missing fact is a finding. Clinical ones stand in `rules.safety`.
"""

import functools

from rules import directions, supply
from rules.case import Case
from rules.facts import Author, Channel, Kind, PatientStatus, Schedule
from rules.findings import Finding, Severity

BLOCKS, PERSON, NOTES = Severity.blocks, Severity.needs_person, Severity.notes

VISIT_FLOOR_DAYS = 365
SUPPLY_FLOOR_DAYS = 90


def emergency(case: Case) -> Finding | None:
    """Clinical check `emergency`: words of harm go to a person before any refill logic. Not looked at = not safe."""
    said = case.facts.reading.is_emergency
    if said is False:
        return None
    code = "emergency" if said else "emergency_unknown"
    return Finding(code, "The message may speak of an emergency.", BLOCKS, source="clinical: emergency")


def symptom(case: Case) -> Finding | None:
    """Clinical check `symptom`: symptom, side effect, new drug or dose change in the message."""
    said = case.facts.reading.has_symptom
    if said is False:
        return None
    code = "symptom" if said else "symptom_unknown"
    return Finding(code, "The message says something clinical beside the request.", BLOCKS, source="clinical: symptom")


def not_a_request(case: Case) -> Finding | None:
    """F055: what is not surely a refill or a pharmacy change is read by a person."""
    if case.facts.reading.kind in (Kind.refill, Kind.pharmacy_change):
        return None
    return Finding("not_a_request", "The message is not surely a refill or pharmacy request.", PERSON, source="F055")


def not_plain(case: Case) -> Finding | None:
    """F055: several topics, or not sure that there is one only."""
    if case.facts.reading.is_plain:
        return None
    return Finding("not_plain", "The message asks for more than one plain thing.", PERSON, source="F055")


def doubts(case: Case) -> Finding | None:
    """F055: any doubt of the reader, or less confidence than the practice demands, means a person."""
    reading, limit = case.facts.reading, case.policy.confidence_percent
    sure = reading.confidence_percent
    if not reading.doubts and sure is not None and sure >= limit:
        return None
    value = ", ".join(reading.doubts) or ("" if sure is None else str(sure))
    return Finding("doubts", "The reading of the message is not sure.", PERSON, value, str(limit), source="F055")


def channel(case: Case) -> Finding | None:
    """A transcript of a voice is not the patient's words (issue: voicemail means a person)."""
    if case.facts.reading.channel in (Channel.text, Channel.form, Channel.network):
        return None
    return Finding("channel", "Voicemail, or a channel we do not know.", PERSON, case.facts.reading.channel.value,
                   source="F055")  # fmt: skip


def author(case: Case) -> Finding | None:
    """Somebody else writing for the patient: a person looks whether that somebody may. A pharmacy asks for itself, by
    the network only."""
    reading = case.facts.reading
    if reading.author is Author.patient and reading.channel is not Channel.network:
        return None
    if reading.author is Author.pharmacy and reading.channel is Channel.network:
        return None
    return Finding("author", "Not surely written by the patient.", PERSON, case.facts.reading.author.value,
                   source="F055")  # fmt: skip


def identity(case: Case) -> Finding | None:
    """Who is writing: unverified, none or two chart patients means a person."""
    if case.facts.reading.is_identity_verified:
        return None
    return Finding("identity", "The writer is not surely matched to one chart patient.", PERSON, source="law 6")


def patient_status(case: Case) -> Finding | None:
    """Deceased, inactive or unknown patients are never served automatically."""
    status = case.facts.patient.status
    if status is PatientStatus.active:
        return None
    return Finding("patient_status", "The patient is not surely active.", BLOCKS, status.value, "active",
                   source="drchrono 7.1: patient_status")  # fmt: skip


def newer_message(case: Case) -> Finding | None:
    """Law 6, news first: a later message of the patient is read before anything leaves."""
    if case.facts.earlier.has_newer_message is False:
        return None
    return Finding("newer_message", "The patient wrote again, or we have not looked.", PERSON, source="law 6")


def open_request(case: Case) -> Finding | None:
    """Law 6: one open supply per patient and ingredient set; another open request is a person's."""
    if case.facts.earlier.is_same_open is False:
        return None
    return Finding(
        "open_request", "Another request for the same drug is open, or we have not looked.", PERSON, source="law 6"
    )


def earlier_denied(case: Case) -> Finding | None:
    """F050: asked again within 24 hours of a denial or a failure."""
    if case.facts.earlier.was_denied_or_failed_in_24_h is False:
        return None
    return Finding("earlier_denied", "Denied or failed in the last 24 hours, or not looked.", PERSON, source="F050")


def automatic_stopped(case: Case) -> Finding | None:
    """The practice's stop switch for automatic approval."""
    if case.facts.switches.is_automatic_stopped is False:
        return None
    return Finding("automatic_stopped", "Automatic approval is stopped for this practice.", PERSON, source="law 6")


def sending_stopped(case: Case) -> Finding | None:
    """The practice's stop switch for all sending."""
    if case.facts.switches.is_sending_stopped is False:
        return None
    return Finding("sending_stopped", "All sending is stopped for this practice.", PERSON, source="law 6")


def hours_unknown(case: Case) -> Finding | None:
    """F087: what might have to be held is not approved by machine."""
    hours = case.facts.hours
    if hours.was_closed_when_sent is not None and hours.is_closed_now is not None:
        return None
    return Finding("hours_unknown", "It is not known whether the office was open.", PERSON, source="F087")


def matched(case: Case) -> Finding | None:
    """Clinical check `active_on_list`: exactly one active list entry. None, several or not counted: a person."""
    count = case.facts.entries_matching
    if case.facts.entry is not None and count == 1:
        return None
    return Finding("not_matched", "Not exactly one list entry fits.", PERSON, "" if count is None else str(count), "1",
                   source="clinical: active_on_list")  # fmt: skip


def entry_active(case: Case) -> Finding | None:
    """F068, clinical check `active_on_list`: stopped, discontinued or undated-stop drugs are not renewed by machine."""
    entry = case.facts.entry
    if entry is None:
        return None
    stops_by_today = entry.stopped_on is not None and entry.stopped_on <= case.facts.today
    if entry.is_active and not stops_by_today:
        return None
    return Finding("stopped", "The drug is stopped, or not surely active.", BLOCKS, source="F068")


def entry_kind(case: Case) -> Finding | None:
    """Over the counter, given in the office, or another doctor's: not a prescription of ours to renew (S10)."""
    entry = case.facts.entry
    if entry is None:
        return None
    if entry.is_over_the_counter is False and entry.is_administered is False and entry.is_by_other_doctor is False:
        return None
    return Finding("entry_kind", "Over the counter, given in the office, another doctor's, or not known.", PERSON,
                   source="S10")  # fmt: skip


def name_and_code(case: Case) -> Finding | None:
    """Name and code of the entry agree on ingredient, strength and form; either missing is not agreement."""
    entry = case.facts.entry
    if entry is None:
        return None
    named, coded = entry.as_named, entry.as_coded
    if named is None or coded is None:
        return Finding("name_or_code_missing", "The entry's name or code could not be read.", PERSON, source="F067")
    for point in ("ingredients", "strength", "form"):
        one, other = getattr(named, point), getattr(coded, point)
        if not one or not other or _same(one) != _same(other):
            return Finding("name_and_code_differ", "Name and code of the entry do not agree.", BLOCKS, point,
                           source="F067")  # fmt: skip
    return None


@functools.lru_cache(maxsize=4096)
def _same(value: str | tuple[str, ...]) -> str:
    text = " ".join(value) if isinstance(value, tuple) else value
    return "".join(text.lower().split())


def asked_is_listed(case: Case) -> Finding | None:
    """Clinical check `same_dose`: what is asked for is what the list says, in every point known to differ or not
    known."""
    drug, entry, reading = case.facts.drug, case.facts.entry, case.facts.reading
    points = {
        "strength": reading.strength_differs,
        "form": reading.form_differs,
        "quantity": reading.quantity_differs,
        "directions": reading.directions_differ,
    }
    differing = [name for name, differs in points.items() if differs is not False]
    if drug is None:
        differing.append("drug")
    elif entry is not None and not differing:
        listed = entry.as_coded or entry.as_named
        if listed is None or not drug.ingredients or _same(drug.ingredients) != _same(listed.ingredients):
            differing.append("ingredients")
    if not differing:
        return None
    return Finding("asked_differs", "What is asked for differs from the list, or may.", PERSON,
                   ", ".join(differing), source="clinical: same_dose")  # fmt: skip


def directions_agree(case: Case) -> Finding | None:
    """Free-text directions and structured dose agree, and the daily amount is known."""
    from_sig = case.sig
    if case.facts.entry is None:
        return None
    if not from_sig.is_known:
        return Finding("daily_amount_unknown", "The daily amount is not exact.", PERSON, from_sig.reason,
                       source="clinical: same_dose")  # fmt: skip
    structured = case.structured
    if structured.reason == "absent":
        return None
    if not structured.is_known:
        return Finding("structured_dose_unread", "The structured dose could not be read.", PERSON, structured.reason,
                       source="clinical: same_dose")  # fmt: skip
    if directions.do_agree(sig=from_sig, structured=structured):
        return None
    return Finding("directions_differ", "Directions and structured dose do not agree.", BLOCKS,
                   source="clinical: same_dose")  # fmt: skip


def days_supply(case: Case) -> Finding | None:
    """F074: at most 90 days (or the stricter limit of policy or class); never guessed."""
    asked = case.together.max_days_supply
    limit = min(SUPPLY_FLOOR_DAYS, case.policy.max_days_supply, SUPPLY_FLOOR_DAYS if asked is None else asked)
    days = case.days_supply
    if days is None:
        return Finding("days_supply_unknown", "Days supply is not surely known.", PERSON, "", str(limit), source="F074")
    if 0 < days <= limit:
        return None
    return Finding("days_supply", "Days supply is over the limit.", PERSON, str(days), str(limit), source="F074",
                   mend=f"a supply of at most {limit} days")  # fmt: skip


def refills(case: Case) -> Finding | None:
    """Refills of the entry are known and no more than the class allows."""
    entry = case.facts.entry
    if entry is None:
        return None
    limit = case.together.max_refills
    count = entry.number_refills
    if count is not None and 0 <= count <= limit:
        return None
    return Finding("refills", "Refills are not known or more than the class allows.", PERSON,
                   "" if count is None else str(count), str(limit), source="clinical: supply",
                   mend=f"at most {limit} refills")  # fmt: skip


def authorised_time(case: Case) -> Finding | None:
    """Days supply x (1 + refills) from today ends within 365 days of the last qualifying visit (clinical `supply`)."""
    limit = min(case.policy.authorised_days_from_visit, VISIT_FLOOR_DAYS)
    entry = case.facts.entry
    total = supply.total_days(
        days_supply=case.days_supply, number_refills=entry.number_refills if entry is not None else None
    )
    if total is None or case.days_since_visit is None:
        return Finding("authorised_time_unknown", "The end of the supply cannot be told.", PERSON, "", str(limit),
                       source="clinical: supply")  # fmt: skip
    end = case.days_since_visit + total
    if end <= limit:
        return None
    return Finding("authorised_time", "The supply would end too long after the visit.", PERSON, str(end), str(limit),
                   source="clinical: supply", mend="a more recent visit or fewer refills")  # fmt: skip


def visit(case: Case) -> Finding | None:
    """F075: last qualifying visit at most 365 days ago (365 passes, 366 does not), less where the class says so."""
    limit = min(case.visit_limit_days, VISIT_FLOOR_DAYS)
    days = case.days_since_visit
    if days is None:
        return Finding("visit_unknown", "No qualifying visit is known.", PERSON, "", str(limit), source="F075",
                       mend=f"a visit within the last {limit} days")  # fmt: skip
    if 0 <= days <= limit:
        return None
    return Finding("visit", "The last qualifying visit is too long ago.", PERSON, str(days), str(limit), days,
                   source="F075", mend=f"a visit within the last {limit} days")  # fmt: skip


def fill_history(case: Case) -> Finding | None:
    """F068: the last known fill or supply is at most 90 days ago (90 passes, 91 does not); silence is not a pass."""
    limit, days = min(case.policy.fill_history_days, 90), case.standing.days_since
    if days is not None and 0 <= days <= limit:
        return None
    return Finding("fill_history", "No fill is known within the limit.", PERSON, "" if days is None else str(days),
                   str(limit), days, source="F068", mend=f"a fill within the last {limit} days")  # fmt: skip


def supplies_known(case: Case) -> Finding | None:
    """Law 6: supplies of ours and of the EHR must have been looked at."""
    if case.facts.supplies is not None:
        return None
    return Finding("supplies_unknown", "Open supplies have not been looked at.", PERSON, source="law 6")


def too_early(case: Case) -> Finding | None:
    """Law 6, clinical `too_early`: at least 75 % of every supply still counting must be used."""
    percent = max(case.policy.early_used_percent, 75)
    standing = case.standing
    if not standing.stretches:
        return None
    for stretch in standing.stretches:
        enough = supply.is_used_enough(stretch=stretch, today=case.facts.today, percent=percent)
        if enough is None:
            return Finding("supply_length_unknown", "How long a supply lasts is not known.", PERSON, source="law 6")
        if not enough:
            used = "" if standing.least_used_percent is None else str(standing.least_used_percent)
            return Finding("too_early", "Too little of the last supply is used.", PERSON, used, str(percent),
                           source="law 6", mend="a later request")  # fmt: skip
    return None


def too_late(case: Case) -> Finding | None:
    """Clinical `too_late`: more than the supply + 30 days ago may mean a stopped drug (restart risk)."""
    last, days = case.standing.last, case.standing.days_since
    if last is None or last.days is None or days is None:
        return None
    limit = last.days + min(case.policy.late_margin_days, 30)
    if days <= limit:
        return None
    return Finding("too_late", "The supply ended long ago.", PERSON, str(days), str(limit), source="clinical: too_late")


def mirror(case: Case) -> Finding | None:
    """Law 6: a stale copy of the chart blocks approval."""
    limit, age = case.policy.mirror_max_age_minutes, case.facts.mirror_age_minutes
    if age is not None and 0 <= age <= limit:
        return None
    return Finding("stale_mirror", "Our copy of the chart is too old.", PERSON, "" if age is None else str(age),
                   str(limit), source="law 6", mend="a fresh copy of the chart")  # fmt: skip


def prescriber_ours(case: Case) -> Finding | None:
    """S10: the entry's own prescriber is ours and active."""
    one = case.facts.prescriber
    if one is not None and one.is_ours and one.is_active:
        return None
    return Finding("prescriber", "The entry's prescriber is not surely ours and active.", PERSON, source="S10")


def prescriber_ready(case: Case) -> Finding | None:
    """F045 and the issue: SPI, not away, and consent to automatic approval given in person."""
    one = case.facts.prescriber
    if one is None:
        return Finding("prescriber_not_ready", "The prescriber is not known.", PERSON, source="F045")
    missing = [
        name
        for name, good in (
            ("spi", one.has_spi is True),
            ("away", one.is_away is False),
            ("consent", one.agreed_to_automatic is True),
        )
        if not good
    ]
    if not missing:
        return None
    return Finding("prescriber_not_ready", "The prescriber lacks what automatic approval needs.", PERSON,
                   ", ".join(missing), source="F045")  # fmt: skip


def pharmacy(case: Case) -> Finding | None:
    """The pharmacy is the patient's current default, and a pharmacy named in the message is that one."""
    one = case.facts.pharmacy
    if not one.default_ncpdp or not one.is_current:
        return Finding("pharmacy_unknown", "There is no current default pharmacy.", PERSON, source="F086")
    if one.named_matches_default is True or (one.named_matches_default is None and not one.named_text):
        return None
    return Finding("pharmacy_differs", "The pharmacy named is not surely the default one.", PERSON, source="F086")


def named_pharmacy(case: Case) -> Finding | None:
    """A pharmacy change needs exactly one directory entry."""
    if case.facts.reading.kind is not Kind.pharmacy_change or case.facts.pharmacy.named_ncpdp:
        return None
    return Finding("named_pharmacy", "The pharmacy named is not exactly one of the directory.", PERSON,
                   source="F086")  # fmt: skip


def controlled(case: Case) -> Finding | None:
    """F071: Schedule II-V is never automatic (21 CFR 1306, 1311)."""
    if not case.is_controlled:
        return None
    return Finding("controlled", "Schedule II-V: the prescriber in person.", BLOCKS, case.schedule.value, source="F071")


def schedule_unknown(case: Case) -> Finding | None:
    """Law 6: an unknown schedule counts as controlled. It goes to review, not to the EHR task: a task must not be
    filled in for a drug nobody has identified."""
    if case.schedule is not Schedule.unknown:
        return None
    return Finding("schedule_unknown", "The schedule is not known: counts as controlled.", BLOCKS, source="law 6")


NOT_A_REFILL = Finding("not_a_refill", "No refill was asked for.", NOTES, source="F055")


def not_a_refill(case: Case) -> Finding | None:
    """Whatever a recipe says, a drug is only acted on when a refill was asked for."""
    if case.facts.reading.kind is Kind.refill:
        return None
    return NOT_A_REFILL


NOT_A_PHARMACY_CHANGE = Finding("not_a_pharmacy_change", "No pharmacy change was asked for.", NOTES, source="F086")


def not_a_pharmacy_change(case: Case) -> Finding | None:
    """Whatever a recipe says, a pharmacy is only changed when that was asked for."""
    if case.facts.reading.kind is Kind.pharmacy_change:
        return None
    return NOT_A_PHARMACY_CHANGE


NOT_CLOSED = Finding("not_closed", "The office is open, or was when the message came.", NOTES, source="F087")


def not_closed(case: Case) -> Finding | None:
    """A hold is for messages sent while closed, as long as we are closed (C11, F087)."""
    if case.facts.hours.was_closed_when_sent and case.facts.hours.is_closed_now:
        return None
    return NOT_CLOSED


NO_FILLS_LEFT = Finding("no_fills_left", "No pharmacy reported fills left.", NOTES, source="glossary: fills left")


def no_fills_left(case: Case) -> Finding | None:
    """Nobody is told of fills left that no pharmacy reported."""
    if case.facts.fills_left is not None and case.facts.fills_left >= 1:
        return None
    return NO_FILLS_LEFT
