"""Which resources DrChrono offers, by which methods, under which scopes and permissions: our own compact table.

Letters of `verbs`: L list, C create, R read one, U put, P patch, D delete. A contract test holds it against the
catalogue.
"""

from dataclasses import dataclass, field

METHODS = {"L": "GET", "C": "POST", "R": "GET", "U": "PUT", "P": "PATCH", "D": "DELETE"}


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource. `families` are scope families; all are needed. `filters` are equality filters by field name."""

    name: str
    verbs: str
    families: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    since: bool = False
    actions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    list_methods: tuple[str, ...] = ()

    @property
    def collection_methods(self) -> tuple[str, ...]:
        """Methods on /api/<name>."""
        return tuple(METHODS[v] for v in self.verbs if v in "LC") + self.list_methods

    @property
    def item_methods(self) -> tuple[str, ...]:
        """Methods on /api/<name>/<id>."""
        return tuple(METHODS[v] for v in self.verbs if v in "RUPD")


@dataclass(frozen=True, slots=True)
class Batch:
    """One bulk endpoint /api/<name>: POST starts, GET ?uuid= polls. `paged`: the answer carries `pagination`."""

    name: str
    of: str
    families: tuple[str, ...]
    write_families: tuple[str, ...]
    permissions: tuple[str, ...]
    ceiling: int
    paged: bool


NOTES = ("clinical-notes",)
BILLING = ("billing", "show-billing-tab")
PATIENTS = ("manage-patients",)
SCHEDULING = ("scheduling",)
BOTH = ("scheduling", "clinical-notes")
SET_PATIENTS = ("manage-patients", "settings")
SET_SCHEDULE = ("scheduling", "settings")
PAYMENTS = ("access-patient-payments", "billing", "show-billing-tab")
WHO = ("patient", "doctor")


def _r(
    name: str,
    verbs: str,
    families: str = "",
    permissions: tuple[str, ...] = (),
    filters: tuple[str, ...] = (),
    *,
    since: bool = False,
    actions: dict[str, tuple[str, ...]] | None = None,
    list_methods: tuple[str, ...] = (),
) -> Resource:
    return Resource(name, verbs, tuple(families.split()), permissions, filters, since, actions or {}, list_methods)


RESOURCES: dict[str, Resource] = {
    resource.name: resource
    for resource in (
        # the refill flow
        _r(
            "patients",
            "LCRUPD",
            "patients",
            PATIENTS,
            (
                "first_name",
                "last_name",
                "doctor",
                "gender",
                "date_of_birth",
                "chart_id",
                "email",
                "race",
                "ethnicity",
                "preferred_language",
            ),
            since=True,
            actions={"onpatient_access": ("GET", "POST", "DELETE")},
        ),
        _r(
            "patients_summary",
            "LCRUPD",
            "patients:summary",
            PATIENTS,
            ("first_name", "last_name", "doctor", "gender", "date_of_birth"),
            since=True,
        ),
        _r("medications", "LCRUP", "clinical", NOTES, WHO, actions={"append_to_pharmacy_note": ("PATCH",)}),
        _r("prescription_messages", "LR", "clinical", NOTES, (*WHO, "parent_message"), since=True),
        _r("appointments", "LCRUPD", "calendar clinical", BOTH, ("status", "patient", "office", "doctor"), since=True),
        _r(
            "appointments_list",
            "LRUPD",
            "calendar clinical",
            BOTH,
            ("status", "patient", "office", "doctor"),
            since=True,
        ),
        _r("allergies", "LCRUP", "clinical", NOTES, WHO),
        _r("problems", "LCRUP", "clinical", NOTES, WHO),
        _r("patient_lab_results", "LCRUPD", "labs patients", PATIENTS, (*WHO, "ordering_doctor"), since=True),
        _r("tasks", "LCRUP", "tasks", (), ("status", "category", "assignee_user", "assignee_group"), since=True),
        _r("task_notes", "LCRUP", "tasks", (), ("task",), since=True),
        _r("task_categories", "LCRUP", "tasks", since=True),
        _r("task_statuses", "LCRUP", "tasks", since=True),
        _r(
            "task_templates",
            "LCRUP",
            "tasks",
            (),
            ("assignee_user", "status", "assignee_group", "category"),
            since=True,
        ),
        _r(
            "messages",
            "LCRUPD",
            "messages",
            ("message-center",),
            ("patient", "doctor", "responsible_user", "owner", "type"),
        ),
        _r("patient_messages", "LCRUP", "patients messages", ("manage-patients", "message-center"), WHO, since=True),
        _r("comm_logs", "LCRUP", "calendar", SCHEDULING, WHO, since=True),
        _r("doctors", "LR", "user", (), ("doctor",)),
        _r("users", "LR", "", (), ("doctor",)),
        _r("user_groups", "L", "", (), ("doctor",)),
        _r("offices", "LRUP", "user", (), ("doctor",), actions={"add_exam_room": ("POST",)}),
        _r("staff", "LR", "", (), ("doctor",)),
        # the rest of the catalogue: a generic store
        _r("amendments", "LCRUPD", "clinical", NOTES, WHO),
        _r("appointment_profiles", "LCRUPD", "calendar settings", SET_SCHEDULE, ("doctor",)),
        _r("appointment_templates", "LCRUPD", "calendar settings", SET_SCHEDULE, ("doctor", "office")),
        _r("audit_log", "L", "billing", (), ("patient", "doctor", "user", "appointment", "type", "action"), since=True),
        _r("availability", "L"),
        _r("billing_profiles", "LR", "billing", BILLING, ("doctor",)),
        _r("care_plans", "LR", "clinical", NOTES, WHO),
        _r("care_team_members", "LR", "clinical", NOTES, (*WHO, "appointment")),
        _r("claim_billing_notes", "LCR", "billing", BILLING, ("appointment", "doctor")),
        _r("clinical_note_field_types", "LR", "clinical", NOTES, ("doctor",)),
        _r("clinical_note_field_values", "LCRUP", "clinical", NOTES, ("appointment",), since=True),
        _r("clinical_note_templates", "LR", "clinical", NOTES, ("doctor",)),
        _r("clinical_notes", "LR", "clinical", NOTES, (*WHO, "office"), since=True),
        _r(
            "consent_forms",
            "LCRUP",
            "patients",
            PATIENTS,
            ("doctor",),
            actions={"apply_to_appointment": ("POST",), "unapply_from_appointment": ("POST",)},
        ),
        _r("custom_demographics", "LCRUP", "patients settings", SET_PATIENTS, ("doctor",)),
        _r("custom_insurance_plan_names", "LR", "settings", ("settings",), since=True),
        _r("doctor_options", "LR", "user", (), ("doctor",)),
        _r("doctor_work_schedule", "LRUP", "user"),
        _r("documents", "LCRUPD", "patients", PATIENTS, WHO, since=True),
        _r("eligibility_checks", "LR", "calendar patients", ("scheduling", "manage-patients"), (*WHO, "appointment")),
        _r("eobs", "LCR", "billing", BILLING),
        _r("fee_schedules", "LR", "billing", BILLING, ("code", "code_type", "payer_id", "doctor"), since=True),
        _r("fee_schedules_v2", "LR", "billing", BILLING, ("code",)),
        _r("implantable_devices", "LR", "clinical", NOTES, ("patient",)),
        _r("insurances", "LR", "user"),
        _r("inventory_categories", "LCR", "clinical", NOTES, ("doctor",), since=True),
        _r("inventory_vaccines", "LCR", "clinical", NOTES, ("status", "cvx_code", "doctor"), since=True),
        _r("lab_documents", "LCRUPD", "labs", (), ("doctor",), since=True),
        _r("lab_orders", "LCRUPD", "labs", (), ("doctor",), since=True),
        _r("lab_orders_summary", "LR", "clinical", NOTES, WHO, since=True),
        _r("lab_results", "LCRUPD", "labs", (), ("order", "doctor")),
        _r("lab_tests", "LCRUPD", "labs", (), ("order", "doctor")),
        _r(
            "line_items",
            "LCRUPD",
            "billing",
            BILLING,
            (*WHO, "office", "appointment", "posted_date", "service_date"),
            since=True,
        ),
        _r("office_work_schedule", "LRUP", "user"),
        _r("patient_authorizations", "L", "", (), (*WHO, "start_date", "end_date")),
        _r("patient_communications", "LCRUP", "clinical", NOTES, WHO),
        _r("patient_flag_types", "LCRUP", "patients settings", SET_PATIENTS, ("doctor",)),
        _r("patient_interventions", "LCRUP", "clinical", NOTES, WHO),
        _r("patient_payment_log", "LR", "billing", BILLING, WHO, since=True),
        _r("patient_payments", "LCR", "billing:patient-payment", PAYMENTS, (*WHO, "posted_date"), since=True),
        _r("patient_physical_exams", "LCRUP", "clinical", NOTES, WHO),
        _r("patient_risk_assessments", "LCRUP", "clinical", NOTES, WHO),
        _r("patient_vaccine_records", "LCRUP", "clinical", NOTES, WHO, since=True),
        _r("procedures", "LR", "billing", BILLING),
        _r("reminder_profiles", "LCRUPD", "calendar", SCHEDULING, ("doctor",)),
        _r("schedule_blocks", "LCRUPD", "calendar", ("calendar",), ("doctor", "office")),
        _r("signed_consent_forms", "LCR", "patients", PATIENTS, WHO, list_methods=("PATCH",)),
        _r("sublabs", "LCRUPD", "labs"),
        _r("telehealth_appointment_history", "LCR", "calendar clinical", BOTH),
        _r("telehealth_appointments", "LCRUP", "calendar clinical", BOTH),
        _r("transactions", "LR", "billing", BILLING, ("line_item", "posted_date", "appointment", "doctor"), since=True),
        _r("yellow_notepad", "LC", "clinical", NOTES, ("appointment_id", "template_id")),
    )
}

BATCHES: dict[str, Batch] = {
    batch.name: batch
    for batch in (
        Batch("patients_list", "patients", ("patients:read",), ("patients:read",), PATIENTS, 1000, False),
        Batch(
            "prescription_messages_list",
            "prescription_messages",
            ("clinical:read",),
            ("clinical:write",),
            NOTES,
            1000,
            True,
        ),
        Batch("clinical_notes_list", "clinical_notes", ("clinical:read",), ("clinical:read",), NOTES, 1000, True),
        Batch(
            "clinical_note_field_values_list",
            "clinical_note_field_values",
            ("clinical:read",),
            ("clinical:read",),
            NOTES,
            20000,
            True,
        ),
        Batch("line_items_list", "line_items", ("billing:read",), ("billing:read",), BILLING, 1000, False),
        Batch("transactions_list", "transactions", ("billing:read",), ("billing:read",), BILLING, 1000, True),
        Batch(
            "eligibility_checks_list",
            "eligibility_checks",
            ("calendar:read", "patients:read"),
            ("calendar:read", "patients:read"),
            SCHEDULING,
            1000,
            True,
        ),
    )
}

SCOPES = tuple(
    f"{family}:{side}"
    for family in (
        "user",
        "calendar",
        "patients",
        "patients:summary",
        "billing",
        "billing:patient-payment",
        "clinical",
        "labs",
        "messages",
        "tasks",
        "settings",
    )
    for side in ("read", "write")
)
PERMISSIONS = tuple(
    sorted(
        {p for r in RESOURCES.values() for p in r.permissions} | {p for b in BATCHES.values() for p in b.permissions}
    )
)


def scopes_for(resource: Resource, method: str) -> tuple[str, ...]:
    """Scopes a call needs: :read for GET, :write for anything else."""
    side = "read" if method in ("GET", "HEAD", "OPTIONS") else "write"
    return tuple(f"{family}:{side}" for family in resource.families)
