"""Local lab names in the admin site: the practice's own, each change an audit entry, nothing deleted."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from integrations.models import SweepKind, SweepState
from refillhub.practices import roles
from refillhub.practices.admin import OwnPracticeAdmin
from review.models import LabAlias

SHOWN = 20


@admin.register(LabAlias)
class LabAliasAdmin(OwnPracticeAdmin):
    """Which test a local name stands for decides what is approved: those who draft the rules keep it."""

    event = "lab_alias.changed"
    action = roles.Action.draft_rules
    list_display = ("name", "lab_key", "unit", "is_active", "changed_at")
    list_filter = ("lab_key", "is_active")
    fields = ("name", "lab_key", "unit", "is_active")
    exclude = None

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The practice is set before the row is checked, so that a name stands once in it."""
        form = super().get_form(request, obj, change=change, **kwargs)
        names = unknown_names(practice_id=request.practice.id)  # type: ignore[attr-defined]

        class Own(form):  # type: ignore[misc,valid-type]
            def __init__(self, *args: Any, **more: Any) -> None:
                super().__init__(*args, **more)
                self.instance.practice = request.practice  # type: ignore[attr-defined]
                if names:
                    self.fields["name"].help_text += f" Seen and not understood: {', '.join(names)}."

        return Own


def unknown_names(*, practice_id: Any) -> list[str]:
    """Names of results without a code we know that the sweep met most, the most frequent first."""
    row = SweepState.objects.filter(practice_id=practice_id, kind=SweepKind.labs).first()
    counted: dict[str, int] = row.counts.get("names", {}) if row is not None else {}
    return sorted(counted, key=lambda name: (-counted[name], name))[:SHOWN]
