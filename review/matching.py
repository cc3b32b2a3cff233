"""From a mirror entry to what rules and prescriptions need: the translation of one medication-list entry.

Names and codes are read side by side (`rules.intake.normalise`); what is not surely known stays unknown. No queries.
"""

from collections.abc import Mapping
from dataclasses import replace

from integrations.models import MirrorMedication
from refillhub.practices.models import Practice, Provider
from review import supplies
from review.asks import Match
from rules import directions, facts, protocols, vocabulary
from rules.intake import normalise

OTHER_DOCTOR = "Prescribed by other Dr"
OVER_THE_COUNTER = "Over the Counter"
ADMINISTERED = "Administered during visit"


def identified(medication: MirrorMedication) -> normalise.Identified:
    """What name and code of the entry say; cached by the reader."""
    known = vocabulary.current()
    return normalise.identify(name=medication.name, rxcui=medication.rxcui, ndc=medication.ndc, lexicon=known)


def drug_of(*, medication: MirrorMedication, read: normalise.Identified | None = None) -> facts.Drug:
    """The entry's drug as best known; its schedule is the strictest of name and code, unknown when either is."""
    said = read or identified(medication)
    return facts.Drug(
        name=said.scd_name or medication.name,
        rxcui=said.rxcui,
        ingredients=tuple(sorted(said.ingredients)),
        strength=said.strength,
        form=said.form,
        schedule=facts.Schedule(str(said.schedule)),
        drug_class=next(iter(classes_of(ingredients=tuple(sorted(said.ingredients)), form=said.form)), ""),
    )


def classes_of(*, ingredients: tuple[str, ...], form: str) -> tuple[str, ...]:
    """Keys of the refill protocols that cover this drug in this form; empty when none does."""
    return tuple(one.key for one in protocols.load().applying(ingredients=ingredients, form=form))


def _sides(read: normalise.Identified) -> tuple[facts.Drug | None, facts.Drug | None]:
    """Name and code as the guard compares them. The reader's verdict counts: it knows salts, releases, rounding."""
    named, coded = _side(read.by_name), _side(read.by_code)
    if named is None or coded is None:
        return named, coded
    if read.agree is True:
        return replace(coded, name=named.name), coded
    if read.agree is False and (named.ingredients, named.strength, named.form) == (
        coded.ingredients,
        coded.strength,
        coded.form,
    ):
        # They differ in what the texts do not show (salt, release, another code).
        return replace(named, form=f"{named.form} ({', '.join(read.differs_in)})"), coded
    return named, coded


def _side(said: normalise.Said | None) -> facts.Drug | None:
    """One side; None when it says nothing."""
    if said is None or not said.ingredients:
        return None
    return facts.Drug(
        name="",
        rxcui=said.rxcui,
        ingredients=tuple(sorted(said.ingredients)),
        strength=said.strength,
        form=said.form,
        schedule=facts.Schedule(str(said.schedule)),
    )


def match(*, medication: MirrorMedication, practice: Practice, providers: Mapping[str, Provider]) -> Match:
    """The entry as the rules and a NewRx need it. `providers` by DrChrono doctor id, this practice's only."""
    read = identified(medication)
    drug = drug_of(medication=medication, read=read)
    structured = facts.Directions(
        dosage_quantity=medication.dosage_quantity,
        dosage_units=medication.dosage_units,
        frequency=medication.frequency,
        route=medication.route,
        is_as_needed=medication.prn,
    )
    daily = directions.read_sig(text=medication.sig)
    if daily.amount is None and daily.reason == "absent":
        daily = directions.read_structured(directions=structured)
    days = directions.days_supply(quantity=medication.dispense_quantity, unit=medication.dosage_units, daily=daily)
    named, coded = _sides(read)
    entry = facts.ListEntry(
        entry_id=medication.external_id,
        as_named=named,
        as_coded=coded,
        sig_text=medication.sig,
        directions=structured,
        dispense_quantity=medication.dispense_quantity,
        dispense_unit=medication.dosage_units,
        days_supply=None,
        number_refills=medication.number_refills,
        daw=medication.daw,
        is_active=medication.is_active and medication.gone_at is None,
        order_status=medication.order_status,
        prescribed_on=medication.prescribed_on,
        started_on=medication.started_on,
        changed_on=medication.dose_changed_on,
        stopped_on=medication.stopped_on,
        is_over_the_counter=medication.order_status == OVER_THE_COUNTER,
        is_administered=medication.order_status == ADMINISTERED,
        is_by_other_doctor=medication.order_status == OTHER_DOCTOR,
        prescriber_ref=medication.doctor_external_id,
    )
    key = supplies.ingredient_key(drug.ingredients)
    return Match(
        medication=medication,
        entry=entry,
        drug=drug,
        prescriber=providers.get(medication.doctor_external_id),
        ingredient_key=key,
        drug_key="|".join((key, drug.strength, drug.form)),
        drug_name=(read.scd_name or medication.name)[:300],
        rxcui=read.rxcui,
        rxcui_qualifier=read.qualifier,
        ndc=normalise.ndc11(text=medication.ndc),
        quantity_unit=medication.dosage_units,
        days_supply=days,
    )
