"""Routes of the API, version 1; included by `review.urls`. What a version promises never changes under its path."""

from django.urls import path, re_path

from review.api import pages, views

_ONE = "api/v1/requests/<uuid:request_id>/"

urlpatterns = [
    path("api/v1/me/", views.Me.as_view(), name="api_me"),
    path("api/v1/queue/", views.Queue.as_view(), name="api_queue"),
    path(_ONE, views.Request.as_view(), name="api_request"),
    path(f"{_ONE}approve/", views.Approve.as_view(), name="api_approve"),
    path(f"{_ONE}deny/", views.Deny.as_view(), name="api_deny"),
    path(f"{_ONE}ask-visit/", views.AskVisit.as_view(), name="api_ask_visit"),
    path(f"{_ONE}answer/", views.Answer.as_view(), name="api_answer"),
    path(f"{_ONE}take-back/", views.TakeBack.as_view(), name="api_take_back"),
    path("api/v1/audit/", views.Audit.as_view(), name="api_audit"),
    path("api/v1/schema/", views.Schema.as_view(), name="api_schema"),
    path("api/v1/docs/", pages.docs, name="api_docs"),
    re_path(r"^api/v1/[\s\S]*$", views.Unknown.as_view()),  # a line break in a path, too, is answered in our shape
]
