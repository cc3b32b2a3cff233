"""The route table: which package answers which path. Views live in their packages; this file only joins them."""

import warnings

from django.contrib import admin
from django.urls import include, path

from refillhub import health


def _package(route: str, module: str) -> list:
    """TEMPORARY GUARD: the routes of a package, or none while the package cannot be imported yet."""
    try:
        return [path(route, include(module))]
    except ImportError as missing:
        warnings.warn(f"{module} is left out: {missing}", stacklevel=1)
        return []


urlpatterns = [
    path("healthz", health.health, name="health"),
    path("admin/", admin.site.urls),
    *_package("", "refillhub.practices.urls"),
    *_package("", "review.urls"),
]
