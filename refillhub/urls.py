"""The route table: which package answers which path. Views live in their packages; this file only joins them."""

from django.contrib import admin
from django.urls import include, path

from refillhub import gauges, health

urlpatterns = [
    path("healthz", health.health, name="health"),
    path("metrics", gauges.metrics, name="gauges"),  # for machines; people read /metrics/
    path("admin/", admin.site.urls),
    path("", include("refillhub.practices.urls")),
    path("", include("review.urls")),
]
