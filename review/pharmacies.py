"""Which directory entry a patient means: "CVS on Main" is one pharmacy, several, or none. Only exactly one counts.

Compares words; never substitutes a pharmacy and never looks beyond the stage's own directory.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Value
from django.db.models.functions import Concat, Replace

from integrations.models import DirectoryState, PharmacyEntry
from rules.intake.reading import PharmacyMention

_WORD = re.compile(r"[a-z0-9]+")
# Words that stand in many pharmacies' names and addresses and tell none apart.
_COMMON = frozenset(
    "the pharmacy pharmacies drug drugs store rx st street ave avenue rd road blvd dr drive on in at of".split()
)


def words(text: str) -> set[str]:
    """The telling words of a name or street."""
    return set(_WORD.findall(text.lower().replace("'", ""))) - _COMMON


def by_ncpdp(*, stage: str, ncpdp_ids: Iterable[str]) -> dict[str, PharmacyEntry]:
    """Directory rows by NCPDP id."""
    wanted = {each for each in ncpdp_ids if each}
    if not wanted:
        return {}
    return {row.ncpdp_id: row for row in PharmacyEntry.objects.filter(stage=stage, ncpdp_id__in=wanted)}


def doubt(*, stage: str, ncpdp_id: str, now: datetime) -> None:
    """The network says that it does not know this pharmacy: nothing goes there until the directory lists it again."""
    PharmacyEntry.objects.filter(stage=stage, ncpdp_id=ncpdp_id).exclude(
        directory_state__in=[DirectoryState.missing, DirectoryState.inactive]
    ).update(directory_state=DirectoryState.missing, changed_at=now)


def named(*, mentions: Sequence[PharmacyMention], stage: str, default: PharmacyEntry | None) -> PharmacyEntry | None:
    """The one active entry that every telling word of the mention fits; None when none or several do.

    The whole name must have been said: "Lane Pharmacy" is not Elm Lane Pharmacy. The patient's own default pharmacy
    wins when it fits: people name the place they always go to.
    """
    if len(mentions) != 1:
        return None
    wanted = words(f"{mentions[0].name} {mentions[0].place}") or words(mentions[0].words)
    if not wanted:
        return None
    if default is not None and _fits(default, wanted):
        return default
    near = PharmacyEntry.objects.filter(stage=stage, directory_state=DirectoryState.active).annotate(
        said=Replace(
            Concat("name", Value(" "), "address_line_1", Value(" "), "city", Value(" "), "store_number"),
            Value("'"),
            Value(""),
        )
    )
    # Every row that may fit is looked at: among the first fifty "exactly one" would prove nothing.
    for word in sorted(wanted):
        near = near.filter(said__icontains=word)
    found = [row for row in near if _fits(row, wanted)]
    return found[0] if len(found) == 1 else None


def _fits(row: PharmacyEntry, wanted: set[str]) -> bool:
    name = {word for word in words(row.name) if not word.isdigit() and word != row.store_number}
    return wanted <= _all_words(row) and name <= wanted


def _all_words(row: PharmacyEntry) -> set[str]:
    return words(" ".join((row.name, row.address_line_1, row.city, row.store_number)))
