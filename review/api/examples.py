"""The examples of the schema: invented requests, the shapes of `serializers.py`. A test holds them to the schema."""

from typing import Any

ID = "6f1d2b0e-3c55-4a57-9c39-0a4bb1a1f0c2"
OTHER = "0d4c1a9e-77b2-4b1e-8c11-5f0f0e9d7a10"

ME: dict[str, Any] = {
    "practice_id": OTHER, "practice": "Lakeside Internal Medicine", "user_id": OTHER, "name": "Dr. Osei",
    "roles": ["prescriber"], "scopes": ["read", "decide"], "expires_at": "2027-05-16T15:14:00Z", "is_shadow": False,
}  # fmt: skip
ITEM: dict[str, Any] = {
    "id": ID, "state": "in_review", "version": 2, "kind": "refill", "source": "klara",
    "drug_name": "Lisinopril 10 mg oral tablet", "schedule": "not_controlled", "is_controlled": False, "days_left": 2,
    "run_out_on": "2026-11-19", "reasons": [{"code": "visit", "words": "The last visit is too long ago"}],
    "urgency": "within_3_days", "is_urgent": False, "is_locked": False, "is_shadow": False, "queue": "prescriber",
    "assignee_id": OTHER, "asked_at": "2026-11-17T13:59:00Z", "opened_at": "2026-11-17T14:00:00Z", "age_minutes": 75,
}  # fmt: skip
ITEMS: dict[str, Any] = {"items": [ITEM], "next": "MjAyNi0xMS0xN1QxNDowMDowMCswMDowMH4"}
DETAIL: dict[str, Any] = {
    "request": ITEM, "quantity": "90.000", "quantity_unit": "tablet", "days_supply": 90, "refills": 0,
    "sig": "Take 1 tablet by mouth once daily", "rxcui": "314076", "pharmacy_ncpdp": "9990001", "decided_at": None,
    "decided_by": None, "last_code": "", "duplicate_of": None,
    "question": "Approve although: Visit: last visit 402 days ago, limit 365?", "may": ["approve", "deny", "ask-visit"],
    "decision": {
        "at": "2026-11-17T14:00:00Z", "outcome": "needs_person", "recipe": "auto_refill", "drug_class": "ace_arb",
        "version": 3, "criteria": [{"name": "Visit", "kind": "fail", "found": "Last visit 402 days ago, limit 365",
                                    "source": "drchrono", "age": "", "limit": "365 days"}],
        "what_would_change_it": ["A visit within 365 days."],
        "trace": [{"node": "guard", "fact": "visit", "value": "402", "threshold": "365", "result": "no"}],
    },
    "dispatches": [], "patient": {"name": "Ana Reyes", "birth_date": "1968-03-04"},
}  # fmt: skip
TRAIL: dict[str, Any] = {
    "entries": [{
        "number": 12, "at": "2026-11-17T15:14:00Z", "event": "request.approved", "sentence": "A request was approved.",
        "actor_kind": "person", "actor_id": OTHER, "request_id": ID, "patient_ref": "p_8c1f", "trigger": "klara",
        "outcome": "approved", "decision_path": [], "clinician": OTHER, "data": {"changed": []},
        "previous_hash": "0" * 64, "hash": "1" * 64, "body": "{...}",
    }],
    "next": 12,
}  # fmt: skip
_DONE = {"id": ID, "version": 3, "is_shadow": False}
DONE: dict[str, dict[str, Any]] = {
    "approve": {**_DONE, "state": "approved", "message": "Approved; it leaves in 30 s unless it is taken back."},
    "deny": {**_DONE, "state": "denied", "message": "Denied; the patient is told after the undo time."},
    "ask-visit": {**_DONE, "state": "visit_asked", "message": "Visit asked; the patient is told after the undo time."},
    "answer": {**_DONE, "state": "answered", "message": "Answered."},
    "take-back": {**_DONE, "state": "in_review", "message": "Taken back: nothing left. It is in review again."},
}
ASKS: dict[str, dict[str, Any]] = {
    "approve": {"version": 2, "although": True}, "deny": {"version": 2, "code": "AM", "note": "Please call us."},
    "ask-visit": {"version": 2}, "answer": {"version": 2, "reason": "called", "text": ""}, "take-back": {"version": 3},
}  # fmt: skip
ERRORS: dict[int, tuple[str, dict[str, Any]]] = {
    400: ("The call cannot be understood", {"code": "invalid", "message": "This field is required.",
                                            "field": "version"}),
    401: ("No token, or one that does not count", {"code": "token_unknown", "message": "There is no such token."}),
    403: ("The token's scopes or its person's roles do not allow it",
          {"code": "scope_needed", "message": "This token was not made for: decide."}),
    404: ("No such request in this practice", {"code": "not_found", "message": "There is no such thing here."}),
    409: ("Somebody was first, or the key was used", {
        "code": "already_decided", "state": "approved", "version": 3,
        "message": "The request has changed since it was read: it is approved at version 3."}),
    413: ("The body is too long", {"code": "too_large", "message": "A body is at most 16384 bytes long."}),
    415: ("The body is not JSON", {"code": "media_type", "message": 'Unsupported media type "text/plain" in request.'}),
    422: ("Not possible as things stand; the code says why", {
        "code": "news_unread", "message": "The patient has just written again; that message is being read first."}),
    423: ("Locked: it may be at the pharmacy", {
        "code": "locked", "message": "It may already be at the pharmacy. Call the pharmacy first."}),
    429: ("More than 300 calls in a minute; wait for Retry-After seconds",
          {"code": "too_many", "message": "Request was throttled. Expected available in 7 seconds."}),
}  # fmt: skip
