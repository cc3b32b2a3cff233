"""The route table: which package answers which path. Views live in their packages; this file only joins them."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import include, path

from refillhub import health


def _package(route: str, module: str) -> list:
    """TEMPORARY GUARD: the routes of a package, or none while the package has not been written yet."""
    return [path(route, include(module))] if find_spec(module) else []


urlpatterns = [
    path("healthz", health.health, name="health"),
    path("admin/", admin.site.urls),
    *_package("", "refillhub.practices.urls"),
    *_package("", "review.urls"),
]
