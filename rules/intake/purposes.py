"""What a drug is for, said barely ("for my gout"): context of an ask, and no symptom. Over folded text.

Only the bare purpose: anything said of it ("for my migraines that got worse") is read like everything else, and words
of an emergency are none of these.
"""

from __future__ import annotations

import re

_CONDITION = (
    r"(?:blood pressure|presion(?: alta)?|bp|hypertension|hipertension|cholesterol|colesterol|thyroid|tiroides"
    r"|hypothyroid(?:ism)?"
    r"|diabetes|diabetic neuropathy|sugar|sugars|blood sugar|azucar|heart|corazon|a-?fib|atrial fibrillation|gout"
    r"|gota|glaucoma"
    r"|asthma|asma|copd|allergies|allergy|alergias?|hay ?fever|(?:bee|peanut|food|seasonal|spring|pollen) allerg(?:y"
    r"|ies)|migraines?"
    r"|migranas?|headaches?|seizures?|epilepsy|convulsiones|epilepsia|eczema|psoriasis|rosacea|acne|acid reflux"
    r"|reflux|reflujo|gerd"
    r"|heartburn|acidez|ulcers?|stomach|estomago|arthritis|artritis|joints|back|espalda|knees?|rodillas?|pain|dolor"
    r"|nerve pain"
    r"|neuropathy|fibromyalgia|anxiety|ansiedad|nerves|nervios|depression|depresion|mood|bipolar|adhd|add|sleep"
    r"|insomnia|dormir"
    r"|prostate|prostata|bladder|vejiga|overactive bladder|water retention|fluid|swelling|bones?|huesos|osteoporosis"
    r"|blood thinner"
    r"|clots?|cramps|restless legs?|menopause|hot flashes|birth control|anticonceptivos?|skin|piel|itch(?:ing)?"
    r"|picazon|comezon|eyes?|ojos|dry"
    r" eyes?|nose"
    r"|sinus(?:es)?|congestion|vertigo|shingles|cold sores|herpes|parkinson'?s|anemia|iron|vitamin d|kidneys?|rinones"
    r"|liver|tremors?"
    r"|muscle spasms|spasms|weight|constipation|ibs|colitis|crohn'?s|lupus|ra|rheumatoid arthritis|memory|hair(?:"
    r" loss)?|ed"
    r"|circulation|circulacion)"
)
# What may follow: the end of the clause or of the sentence, courtesy, or where it goes.
_END = (
    r"(?=\s*(?:$|[.,;:!?\n)(&/-]|(?:please|thanks?|thank you|por favor|gracias|and|y|to|at|sent|refill\w*|is|are|at"
    r" the|a|al|en la"
    r"|que se me|se me|i'?m|im|when|whenever|asap|as soon|running|almost|before|today|by|medicine|medication|meds?"
    r"|pills?|inhaler"
    r"|drops|cream|needs?|también|tambien|also)\b))"
)
PURPOSES: tuple[re.Pattern[str], ...] = (
    re.compile(
        rf"\b(?:for|4) (?:my |the |mi )?(?:high |bad |chronic |seasonal |type 2 |low |old )?{_CONDITION}"
        rf"(?:,? (?:and|&) (?:my )?{_CONDITION})?{_END}"
    ),
    re.compile(
        rf"\b(?:para|pa|de) (?:mi |mis |la |el |los |las )?(?:alta )?{_CONDITION}"
        rf"(?: y (?:la |el |mi )?{_CONDITION})?{_END}"
    ),
    re.compile(
        rf"\b(?:my |the |mi )?(?:high )?{_CONDITION} (?:nose |nasal |eye |ear )?(?:medicine|medication|meds?|pills?"
        rf"|tablets?|prescription|rx|one"
        rf"|ones|drops|cream"
        r"|inhaler|spray|shampoo|ointment)(?![a-z])"
    ),
)


def spans(*, text: str) -> list[tuple[int, int]]:
    """Where a bare purpose stands in a folded text."""
    return [match.span() for pattern in PURPOSES for match in pattern.finditer(text)]
