"""Allergies that name a class instead of a drug: "sulfa", "ACE inhibitors", "statins" -> class keys and ingredients.

The words of an entry that names one drug are read by the vocabulary, not here. What is neither stays unknown, and an
unknown allergy means a person. General knowledge (G): to be confirmed by a clinician. Pure.
"""

import re
from collections.abc import Mapping

# Words of a chart -> protocol class keys and ingredients (lower case, salt-free) that count as named.
_CLASSES: Mapping[str, str] = {
    "ace inhibitor|ace inhibitors|acei|ace-i|angiotensin converting enzyme inhibitors": "acei_arb",
    "arb|arbs|angiotensin receptor blockers|angiotensin ii receptor blockers|sartans": "acei_arb",
    "statin|statins|hmg coa reductase inhibitors": "statin",
    "nsaid|nsaids|nonsteroidal anti-inflammatory drugs|non-steroidal anti-inflammatory drugs": "muscle_nsaid",
    "beta blocker|beta blockers|beta-blockers": "beta_blocker",
    "calcium channel blocker|calcium channel blockers|ccb": "ccb",
    "thiazide|thiazides|thiazide diuretics": "thiazide",
    "loop diuretics": "loop",
    "sulfonylurea|sulfonylureas": "sulfonylurea",
    "sglt2 inhibitors": "sglt2",
    "dpp-4 inhibitors|dpp4 inhibitors": "dpp4",
    "glp-1 agonists|glp1 agonists": "glp1",
    "insulin|insulins": "insulin",
    "ssri|ssris|snri|snris": "ssri_snri",
    "ppi|ppis|proton pump inhibitors": "ppi_h2",
    "h2 blockers": "ppi_h2",
    "antihistamine|antihistamines": "allergy",
    "birth control pills|oral contraceptives|estrogen|estrogens": "contraceptive",
    "bisphosphonates": "bisphosphonate",
    "triptans": "triptan",
    "anticonvulsants|antiepileptics": "anticonvulsant",
    "antipsychotics": "antipsychotic",
    "opioid|opioids|opiates|narcotics": "c2 c3_c5 codeine morphine hydrocodone oxycodone tramadol",
    "benzodiazepine|benzodiazepines": "c3_c5",
    "steroids|corticosteroids": "inhaler_controller allergy prednisone methylprednisolone prednisolone dexamethasone "
    "hydrocortisone",
    # One word of the chart reaches several classes: a sulfonamide group is in all of them, whatever its weight.
    "sulfa|sulfas|sulfa drugs|sulfa antibiotics|sulfonamide|sulfonamides": "thiazide loop sulfonylurea celecoxib "
    "sulfamethoxazole sulfasalazine sulfadiazine acetazolamide sumatriptan zonisamide probenecid",
    "penicillin|penicillins|pcn": "amoxicillin ampicillin dicloxacillin nafcillin oxacillin piperacillin penicillin g "
    "penicillin v",
    "cephalosporin|cephalosporins": "cephalexin cefadroxil cefazolin cefuroxime cefprozil cefdinir cefixime "
    "cefpodoxime ceftriaxone",
    "macrolide|macrolides": "azithromycin clarithromycin erythromycin",
    "quinolone|quinolones|fluoroquinolone|fluoroquinolones": "ciprofloxacin levofloxacin moxifloxacin ofloxacin",
    "tetracycline|tetracyclines": "tetracycline doxycycline minocycline",
    "contrast|contrast dye|iv contrast|iodinated contrast|iodine contrast|iodine": "",
    "tape|adhesive|adhesive tape|nickel|bandages": "",
}  # fmt: skip
_TWO_WORDS = ("penicillin g", "penicillin v")
_NOISE = re.compile(r"\b(allergy|allergic|to|drug|drugs|medication|medications|class|all|any)\b")


def _folded(text: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9 -]+", " ", text.lower()).split())


def _reach(text: str) -> frozenset[str]:
    names = {whole for whole in _TWO_WORDS if whole in text}
    for whole in names:
        text = text.replace(whole, " ")
    return frozenset({*names, *text.split()})


_WORDS: Mapping[str, frozenset[str]] = {
    _folded(word): _reach(reached) for words, reached in _CLASSES.items() for word in words.split("|")
}


def named_class(*, text: str) -> frozenset[str] | None:
    """Class keys and ingredients that an entry naming a class stands for; empty for what is no drug of a pharmacy;
    None when the words name no class we know."""
    folded = _folded(text)
    found = _WORDS.get(folded)
    return found if found is not None else _WORDS.get(" ".join(_NOISE.sub(" ", folded).split()))
