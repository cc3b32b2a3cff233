"""Guards over laboratory results and vital signs: on file, in date, in a known unit, in range, and our copy fresh.

(case) -> findings; every test of every class that covers the drug is looked at, so that all that lacks is said at once.
More cautious only; a missing result is a finding.
"""

from collections.abc import Iterator
from datetime import timedelta

from rules.case import Case
from rules.facts import Lab
from rules.findings import Finding, Severity
from rules.protocols import StopKind, Test

BLOCKS, PERSON, NOTES = Severity.blocks, Severity.needs_person, Severity.notes
SOURCE = "clinical: labs"

COPY_HOLDS_MINUTES = 60
"""Floor in code: a result that came after our last look could be the one that matters (law 6). The sweep looks every
15 minutes, so a working one costs no call at a request."""
CRITICAL = frozenset({"LL", "HH", "AA", "<", ">"})
"""HL7 table 0078: beyond panic limits, very abnormal, or off the instrument's scale."""
SHOWN_AS = {"a1c": "A1c", "egfr": "eGFR", "tsh": "TSH", "ldl": "LDL", "alt": "ALT", "ast": "AST", "inr": "INR",
            "hgb": "hemoglobin", "plt": "platelets", "wbc": "white cells", "vitd": "vitamin D", "sbp": "blood pressure",
            "dbp": "blood pressure", "uacr": "urine albumin", "urate": "uric acid", "lipid": "lipids"}  # fmt: skip
VITALS = frozenset({"sbp", "dbp", "pulse", "weight", "bmi"})


def labs(case: Case) -> tuple[Finding, ...]:
    """Clinical check `labs`: every value on file, in its unit, recent enough and in range. A missing lab is not a
    pass."""
    if not case.tests:
        return ()
    found = [finding for test in case.tests if (finding := _lab(case, test)) is not None]
    if not found:
        return ()
    return tuple({(one.code, one.value): one for one in reversed(found)}.values())[::-1]


def _lab(case: Case, test: Test) -> Finding | None:
    mend = f"{test.key} newer than {test.within_days} days"
    known = case.results.get(test.key, ())
    if not known:
        if not test.is_demanded and case.facts.labs is not None:
            return None
        return Finding("lab_missing", "A value the class asks for is not on file.", PERSON, test.key,
                       str(test.within_days), source=SOURCE, mend=mend, next_step=step(test.key))  # fmt: skip
    newest = known[0].on
    if newest is None:
        return Finding("lab_undated", "A value the class asks for has no date.", PERSON, test.key,
                       str(test.within_days), source=SOURCE,
                       next_step=f"look up the date of {shown(test.key)}")  # fmt: skip
    age = (case.facts.today - newest).days
    if not 0 <= age <= test.within_days:
        due = newest + timedelta(days=test.within_days)
        return Finding("lab_old", "A value the class asks is too old.", PERSON, test.key, str(test.within_days), age,
                       source=SOURCE, mend=mend,
                       next_step=f"{step(test.key)}; last {newest.isoformat()}, due {due.isoformat()}")  # fmt: skip
    findings = [_judged(lab, test, age) for lab in known if lab.on == newest]
    return next((one for one in findings if one is not None), None)


def _judged(lab: Lab, test: Test, age: int) -> Finding | None:
    """One result of the newest day against unit, flag and range (both ends pass)."""
    if lab.value is None:
        return Finding("lab_unreadable", "A value the class asks for is not a plain number.", PERSON, test.key,
                       test.unit, age, source=SOURCE, next_step=f"read {shown(test.key)} in the chart")  # fmt: skip
    if lab.unit != test.unit:
        return Finding("lab_unit", "A value is in a unit we do not compare.", PERSON, test.key, test.unit, age,
                       source=SOURCE, next_step=f"read {shown(test.key)} in the chart")  # fmt: skip
    if (test.least is not None and lab.value < test.least) or (test.most is not None and lab.value > test.most):
        limit = f"{test.least if test.least is not None else ''}..{test.most if test.most is not None else ''}"
        return Finding("lab_out_of_range", "Value out of range.", BLOCKS, f"{test.key} {lab.value}", limit, age,
                       source=SOURCE)  # fmt: skip
    if lab.flag in CRITICAL:
        return Finding("lab_critical", "The laboratory flagged the value as critical.", BLOCKS, test.key, lab.flag, age,
                       source="HL7 table 0078")  # fmt: skip
    return None


def copy_age(case: Case) -> Finding | None:
    """Law 6: where the class asks for values, our copy of them is at most an hour old (60 minutes pass)."""
    if not any(test.is_demanded for test in case.tests):
        return None
    age = case.facts.labs_age_minutes
    if age is not None and 0 <= age <= COPY_HOLDS_MINUTES:
        return None
    return Finding("lab_copy_stale", "Our copy of the results is too old, or was never read.", PERSON,
                   "" if age is None else str(age), str(COPY_HOLDS_MINUTES), source="law 6",
                   mend="a fresh copy of the results")  # fmt: skip


def changes(case: Case) -> tuple[Finding, ...]:
    """Exclusions of the class about a change between two results (clinical: creatinine up by more than 30 %; weight up
    by more than 2 kg in 30 days). One result alone shows no change and bars nothing here."""
    return tuple(_changes(case))


def _changes(case: Case) -> Iterator[Finding]:
    for protocol in case.applying:
        for stop in protocol.stops:
            if stop.kind not in (StopKind.rise_percent, StopKind.rise_amount) or stop.most is None:
                continue
            known = [lab for lab in case.results.get(stop.test_key, ()) if lab.on is not None]
            newest = [lab for lab in known if lab.on == known[0].on]
            before = [lab for lab in known if lab.on != known[0].on]
            if stop.within_days is not None:
                since = case.facts.today - timedelta(days=stop.within_days)
                before = [lab for lab in before if lab.on is not None and lab.on >= since]
            elif before:
                before = [lab for lab in before if lab.on == before[0].on]
            unit = case.protocols.lab_units.get(stop.test_key, "")
            for new in newest:
                for old in before:
                    if new.unit != unit or old.unit != unit or new.value is None or old.value is None:
                        continue
                    limit = old.value * (100 + stop.most) / 100 if stop.kind is StopKind.rise_percent else (
                        old.value + stop.most)  # fmt: skip
                    if new.value > limit:
                        yield Finding("protocol_stop", stop.sentence, PERSON, stop.code, protocol.key, source=SOURCE,
                                      next_step=f"compare {shown(stop.test_key)} with the value before")  # fmt: skip
                        return


def shown(key: str) -> str:
    """A test as people name it."""
    return SHOWN_AS.get(key, key)


def step(key: str) -> str:
    """What brings a fresh value."""
    return f"{'take' if key in VITALS else 'order'} {shown(key)}"
