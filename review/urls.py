"""Routes of the review app: vendors' ways in, and the pages of prescribers, assistants and compliance."""

from django.urls import path

from review import webhooks

app_name = "review"

urlpatterns = [
    path("webhooks/klara/<uuid:token>/", webhooks.klara, name="klara_webhook"),
    path("webhooks/klara/<uuid:token>", webhooks.klara),
    path("webhooks/drchrono/<uuid:token>/", webhooks.drchrono, name="drchrono_webhook"),
    path("webhooks/drchrono/<uuid:token>", webhooks.drchrono),
]
