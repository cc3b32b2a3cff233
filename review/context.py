"""Context: everything a batch of decisions needs from the database, loaded in a handful of queries.

Filled inside the admitting transaction, after the patients are locked; grows in memory as requests are opened, so
that the second ask of a batch sees the first. Read by `review.facts`; decides nothing.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from integrations.models import MirrorPatient, PrescriptionSeen, SweepKind, SweepState
from refillhub.practices.models import AutoApprovalConsent, Coverage, Practice, Provider, Spi
from review import states
from review.models import Dispatch, DispatchKind, FillReport, Kind, RefillRequest
from rules import protocols, recipes, versions
from rules.citing import NOTHING_CITED, Citations
from rules.labs import LabName
from rules.models import RuleVersion
from rules.policy import Policy
from rules.protocols import Protocols
from rules.recipes import Recipe

# The calendar ahead counts as known while the changes since the last look were read this recently.
CALENDAR_HOLDS = timedelta(hours=1)
PatientKey = tuple[uuid.UUID, str]
# How far back earlier requests matter: longer than any supply of a refill (90 days x refills within a year).
LOOK_BACK = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class RulesNow:
    """A practice's rules in force; without a published version the safe defaults, nothing automatic."""

    policy: Policy
    recipes: tuple[Recipe, ...]
    protocols: Protocols
    """The shipped table with the practice's own changes."""
    version_id: uuid.UUID | None = None
    number: int | None = None
    citations: Citations = NOTHING_CITED
    lab_names: tuple[LabName, ...] = ()


def rules_at(*, practice: Practice, now: datetime) -> RulesNow:
    """The rules in force at this moment."""
    return rules_of_all(practices={practice.id: practice}, now=now)[practice.id]


def rules_of_all(*, practices: Mapping[uuid.UUID, Practice], now: datetime) -> dict[uuid.UUID, RulesNow]:
    """The rules in force at this moment by practice, in one query; a version's document is read once per process."""
    published = RuleVersion.objects.filter(
        practice_id__in=practices.keys(), state=RuleVersion.State.published, effective_at__lte=now
    )
    newest = published.order_by("practice_id", "-effective_at", "-number").distinct("practice_id").defer("document")
    found = {version.practice_id: version for version in newest}
    return {practice_id: _rules_now(found.get(practice_id)) for practice_id in practices}


def _rules_now(version: RuleVersion | None) -> RulesNow:
    if version is None:
        return RulesNow(policy=Policy(), recipes=recipes.ready_made(), protocols=protocols.load())
    rules = versions.rules_of(version=version)
    return RulesNow(
        policy=rules.policy,
        recipes=rules.recipes,
        protocols=rules.protocols,
        version_id=version.pk,
        number=version.number,
        citations=rules.citations,
        lab_names=rules.lab_names,
    )


@dataclass(slots=True)
class Context:
    """Rows around a batch, indexed by patient."""

    now: datetime
    requests: dict[PatientKey, list[RefillRequest]] = field(default_factory=dict)
    by_sender: dict[PatientKey, list[RefillRequest]] = field(default_factory=dict)
    dispatches: dict[uuid.UUID, list[Dispatch]] = field(default_factory=dict)
    patients: dict[PatientKey, MirrorPatient] = field(default_factory=dict)
    native: dict[PatientKey, list[PrescriptionSeen]] = field(default_factory=dict)
    reports: dict[PatientKey, list[FillReport]] = field(default_factory=dict)
    calendars: set[uuid.UUID] = field(default_factory=set)
    consents: set[uuid.UUID] = field(default_factory=set)
    with_spi: set[uuid.UUID] = field(default_factory=set)
    away: dict[uuid.UUID, bool] = field(default_factory=dict)
    rules: dict[uuid.UUID, "RulesNow"] = field(default_factory=dict)
    pulled: set[uuid.UUID] = field(default_factory=set)
    run_outs: dict[uuid.UUID, Any] = field(default_factory=dict)
    decisions: list[Any] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    """(renewal request, dispatch that answers it), to be noted once the dispatch is stored."""

    def of_patient(self, practice_id: uuid.UUID, patient_id: str) -> list[RefillRequest]:
        """Every recent request of a chart patient, oldest first."""
        return self.requests.get((practice_id, patient_id), []) if patient_id else []

    def open_of(self, practice_id: uuid.UUID, patient_id: str, sender_id: str) -> list[RefillRequest]:
        """Requests that are open, or whose telling has not left, of this patient or sender."""
        found = {row.id: row for row in self.of_patient(practice_id, patient_id)}
        if sender_id:
            found |= {row.id: row for row in self.by_sender.get((practice_id, sender_id), [])}
        wanted = states.OPEN_REQUEST_STATES | states.MESSAGE_BOUND_STATES
        return [row for row in found.values() if states.RequestState(row.state) in wanted]

    def latest_of(self, practice_id: uuid.UUID, patient_id: str, sender_id: str, now: datetime) -> RefillRequest | None:
        """The newest request of this patient or sender."""
        rows = [*self.of_patient(practice_id, patient_id), *self.by_sender.get((practice_id, sender_id), [])]
        return max(rows, key=lambda row: row.opened_at, default=None)

    def dispatches_of(self, request: RefillRequest) -> list[Dispatch]:
        """Known dispatches of a request."""
        return self.dispatches.get(request.id, [])

    def remember(self, request: RefillRequest, dispatches: Iterable[Dispatch]) -> None:
        """Let later asks of the batch see what this one opened."""
        if request.patient_external_id:
            self.requests.setdefault((request.practice_id, request.patient_external_id), []).append(request)
        if request.sender_id:
            self.by_sender.setdefault((request.practice_id, request.sender_id), []).append(request)
        self.dispatches[request.id] = list(dispatches)

    def was_pulled(self, request: RefillRequest) -> bool:
        """Whether unsent work of the same patient was brought back because of this burst."""
        rows = [
            *self.of_patient(request.practice_id, request.patient_external_id),
            *self.by_sender.get((request.practice_id, request.sender_id), []),
        ]
        return any(row.id in self.pulled for row in rows)

    def run_out_of(self, request: RefillRequest) -> Any:
        """First day without the drug, as the rules worked it out; None when unknown."""
        return self.run_outs.get(request.id)

    def version_number(self, practice: Practice) -> int | None:
        """Number of the rule version in force, None before the first one is published."""
        return self.rules[practice.id].number if practice.id in self.rules else None


def load(
    *,
    practices: Mapping[uuid.UUID, Practice],
    patients: set[PatientKey],
    senders: set[PatientKey],
    providers: Sequence[Provider],
    now: datetime,
) -> Context:
    """Load and lock what decisions about these patients need. Call after locking the patients."""
    context = Context(now=now)
    ids = {key[1] for key in patients if key[1]}
    sender_ids = {key[1] for key in senders if key[1]}
    rows = (
        RefillRequest.objects.select_for_update(of=("self",))
        .select_related("practice", "location", "prescriber", "assignee")
        .filter(practice_id__in=practices.keys(), opened_at__gte=now - LOOK_BACK)
        .filter(Q(patient_external_id__in=ids) | Q(sender_id__in=sender_ids))
        .defer("reading_sealed")
        .order_by("id")
    )
    found = sorted(rows, key=lambda row: row.opened_at)
    for row in found:
        if row.patient_external_id:
            context.requests.setdefault((row.practice_id, row.patient_external_id), []).append(row)
        if row.sender_id:
            # Also what is known by chart: a later message may come without its link (an emergency is not looked up).
            context.by_sender.setdefault((row.practice_id, row.sender_id), []).append(row)
    _load_dispatches(context, found)
    if ids:
        _load_chart(context, practices, ids)
    _load_people(context, providers, now)
    context.calendars = set(
        SweepState.objects.filter(
            practice_id__in=practices.keys(), kind=SweepKind.changes, completed_at__gte=now - CALENDAR_HOLDS
        ).values_list("practice_id", flat=True)
    )
    context.rules = rules_of_all(practices=practices, now=now)
    return context


def _load_dispatches(context: Context, requests: Sequence[RefillRequest]) -> None:
    if not requests:
        return
    by_id = {row.id: row for row in requests}
    rows = Dispatch.objects.select_for_update().filter(request_id__in=by_id.keys()).order_by("id")
    for row in rows.defer("document_sealed"):
        row.request = by_id[row.request_id]
        context.dispatches.setdefault(row.request_id, []).append(row)


def _load_chart(context: Context, practices: Mapping[uuid.UUID, Practice], ids: set[str]) -> None:
    for patient in MirrorPatient.objects.filter(practice_id__in=practices.keys(), external_id__in=ids):
        context.patients[(patient.practice_id, patient.external_id)] = patient
    for seen in PrescriptionSeen.objects.filter(
        practice_id__in=practices.keys(), patient_external_id__in=ids, kind__in=["NewRx", "RefillResponse"]
    ):
        context.native.setdefault((seen.practice_id, seen.patient_external_id), []).append(seen)
    for report in FillReport.objects.filter(practice_id__in=practices.keys(), patient_external_id__in=ids):
        context.reports.setdefault((report.practice_id, report.patient_external_id), []).append(report)


def _load_people(context: Context, providers: Sequence[Provider], now: datetime) -> None:
    ids = {provider.id for provider in providers}
    if not ids:
        return
    context.consents = set(
        AutoApprovalConsent.objects.standing().filter(provider_id__in=ids).values_list("provider_id", flat=True)
    )
    context.with_spi = set(
        Spi.objects.filter(provider_id__in=ids, is_active=True).values_list("provider_id", flat=True)
    )
    away = set(Coverage.objects.during(now).filter(provider_id__in=ids).values_list("provider_id", flat=True))
    context.away = {provider_id: provider_id in away for provider_id in ids}


def live_newrx(dispatches: Iterable[Dispatch]) -> list[Dispatch]:
    """NewRx that may be at a pharmacy."""
    return [
        row
        for row in dispatches
        if row.kind == DispatchKind.NEWRX and not row.is_void and row.state in states.MAYBE_DELIVERED_STATES
    ]


def is_refill(request: RefillRequest) -> bool:
    """Whether a request asks for a drug."""
    return request.kind == Kind.REFILL
