"""Routes of the review app: vendors' ways in, and the pages of prescribers, assistants and compliance."""

from django.urls import path

from review import webhooks
from review.api import urls as api_urls
from review.views import (
    acting,
    compliance,
    connection_urls,
    coverage,
    desk,
    epcs,
    inspector,
    learning,
    metrics,
    portal,
    signing,
    together,
    token_urls,
)

app_name = "review"

urlpatterns = [
    path("webhooks/klara/<uuid:token>/", webhooks.klara, name="klara_webhook"),
    path("webhooks/klara/<uuid:token>", webhooks.klara),
    path("webhooks/drchrono/<uuid:token>/", webhooks.drchrono, name="drchrono_webhook"),
    path("webhooks/drchrono/<uuid:token>", webhooks.drchrono),
    # prescribers
    path("queue/", portal.queue, name="queue"),
    path("queue/list/", portal.queue_rows, name="queue_rows"),
    path("queue/together/", together.page, name="together"),
    path("queue/together/approve/", together.approve, name="together_approve"),
    path("queue/<uuid:request_id>/", portal.card, name="card"),
    path("queue/<uuid:request_id>/sign/", signing.page, name="sign"),
    path("queue/<uuid:request_id>/sign/now/", signing.sign, name="sign_now"),
    path("queue/<uuid:request_id>/sign/token-lost/", signing.token_lost, name="token_lost"),
    path("decided/", portal.decided, name="decided"),
    # assistants; the list also for compliance
    path("today/", desk.today, name="today"),
    path("today/alarms/<uuid:alarm_id>/end/", desk.end_alarm, name="end_alarm"),
    path("pharmacies/", desk.pharmacy_page, name="pharmacies"),
    path("today/report/", desk.report_page, name="report"),
    path("requests/", desk.requests, name="requests"),
    path("requests/<uuid:request_id>/", desk.item, name="item"),
    path("requests/<uuid:request_id>/timeline/", inspector.timeline, name="timeline"),
    path("requests/<uuid:request_id>/timeline/<uuid:dispatch_id>/again/", inspector.again, name="timeline_again"),
    # one action each, from either card
    path("requests/<uuid:request_id>/approve/", acting.approve, name="approve"),
    path("requests/<uuid:request_id>/change/", acting.change, name="change"),
    path("requests/<uuid:request_id>/deny/", acting.deny, name="deny"),
    path("requests/<uuid:request_id>/visit/", acting.ask_visit, name="ask_visit"),
    path("requests/<uuid:request_id>/tell/", acting.tell, name="tell"),
    path("requests/<uuid:request_id>/reroute/", acting.reroute, name="reroute"),
    path("requests/<uuid:request_id>/hand-over/", acting.hand_over, name="hand_over"),
    path("requests/<uuid:request_id>/task/", acting.hand_off, name="hand_off"),
    path("requests/<uuid:request_id>/answer/", acting.answer, name="answer"),
    path("requests/<uuid:request_id>/cancel/", acting.cancel, name="cancel"),
    path("requests/<uuid:request_id>/take-up/", acting.take_up, name="take_up"),
    path("requests/<uuid:request_id>/take-back/", acting.take_back, name="take_back"),
    path("requests/<uuid:request_id>/confirm/", acting.confirm, name="confirm"),
    path("requests/<uuid:request_id>/ask-cancel/", acting.ask_cancel, name="ask_cancel"),
    path("requests/<uuid:request_id>/prepare/", signing.prepare, name="prepare"),
    path("requests/<uuid:request_id>/withdraw/", signing.withdraw, name="withdraw"),
    path("requests/<uuid:request_id>/note/", acting.note, name="note"),
    # what a message meant, and a patient's own names for drugs
    path("requests/<uuid:request_id>/correct/", learning.correct, name="correct"),
    path("requests/<uuid:request_id>/names/<uuid:alias_id>/confirm/", learning.alias_confirm, name="alias_confirm"),
    path("requests/<uuid:request_id>/names/<uuid:alias_id>/end/", learning.alias_end, name="alias_end"),
    # compliance
    path("audit/", compliance.audit, name="audit"),
    path("audit/verify/", compliance.verify, name="audit_verify"),
    path("audit/exports/", compliance.exports, name="audit_exports"),
    path("audit/exports/ask/", compliance.export_ask, name="audit_export_ask"),
    path("audit/exports/verifier/", compliance.verifier, name="audit_verifier"),
    path("audit/exports/<uuid:run_id>/", compliance.export_download, name="audit_export_download"),
    path("audit/patient/", compliance.look_up, name="audit_look_up"),
    path("audit/export/", compliance.export_csv, name="audit_export"),
    path("epcs/", epcs.page, name="epcs"),
    path("epcs/<slug:day>/review/", epcs.review, name="epcs_review"),
    path("epcs/incidents/open/", epcs.open_incident, name="incident_open"),
    path("epcs/incidents/<uuid:incident_id>/end/", epcs.end_incident, name="incident_end"),
    # figures
    path("metrics/", metrics.page, name="metrics"),
    path("metrics/figures.csv", metrics.figures_csv, name="metrics_csv"),
    path("metrics/minutes/", metrics.set_minutes, name="metrics_minutes"),
    # who is away and who stands in
    path("coverage/", coverage.page, name="coverage"),
    path("coverage/preview/", coverage.preview, name="coverage_preview"),
    path("coverage/arrange/", coverage.arrange, name="coverage_arrange"),
    path("coverage/on-call/", coverage.on_call, name="coverage_on_call"),
    path("coverage/<uuid:coverage_id>/end/", coverage.end, name="coverage_end"),
    # the administrator's connections, and leaving shadow mode
    *connection_urls.urlpatterns,
    # programs, and their tokens
    *api_urls.urlpatterns,
    *token_urls.urlpatterns,
]
