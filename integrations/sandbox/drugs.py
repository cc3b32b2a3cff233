"""The drugs on the seeded charts: real RxNorm names and codes, and example directions.

Source of names, RxCUI and NDC: RxNorm Current Prescribable Content (U.S. National Library of Medicine).
Never a reference for anything but made-up charts.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drug:
    """One product as a chart line would carry it. `schedule` = DEA schedule, empty when none."""

    name: str
    rxnorm: str
    ndc: str
    units: str
    route: str
    frequency: str
    sig: str
    quantity: int
    indication: str
    schedule: str = ""


def _tablet(
    name: str, rxnorm: str, ndc: str, indication: str, *, quantity: int = 90, unit: str = "tablet", schedule: str = ""
) -> Drug:
    return Drug(
        name,
        rxnorm,
        ndc,
        unit,
        "oral",
        "once daily",
        f"Take 1 {unit} by mouth once daily",
        quantity,
        indication,
        schedule,
    )


def _twice(name: str, rxnorm: str, ndc: str, indication: str, *, quantity: int = 180, schedule: str = "") -> Drug:
    return Drug(
        name,
        rxnorm,
        ndc,
        "tablet",
        "oral",
        "twice daily",
        "Take 1 tablet by mouth twice daily",
        quantity,
        indication,
        schedule,
    )


MAINTENANCE = (
    _tablet("lisinopril 10 MG Oral Tablet", "314076", "00093111310", "Hypertension"),
    _tablet("lisinopril 20 MG Oral Tablet", "314077", "00143971301", "Hypertension"),
    _tablet("atorvastatin 20 MG Oral Tablet", "617310", "", "Hyperlipidemia"),
    _tablet("atorvastatin 40 MG Oral Tablet", "617311", "", "Hyperlipidemia"),
    _twice("metformin hydrochloride 500 MG Oral Tablet", "861007", "00093104801", "Type 2 diabetes"),
    _twice("metformin hydrochloride 1000 MG Oral Tablet", "861004", "00185022101", "Type 2 diabetes"),
    _tablet("levothyroxine sodium 0.05 MG Oral Tablet", "966221", "00378180304", "Hypothyroidism"),
    _tablet("levothyroxine sodium 0.1 MG Oral Tablet", "892246", "00378180904", "Hypothyroidism"),
    _tablet("losartan potassium 50 MG Oral Tablet", "979492", "00054012422", "Hypertension"),
    _tablet("hydrochlorothiazide 25 MG Oral Tablet", "310798", "00172208360", "Hypertension"),
    _tablet("amlodipine 5 MG Oral Tablet", "197361", "", "Hypertension"),
    _tablet("omeprazole 20 MG Delayed Release Oral Capsule", "198051", "00093521156", "Reflux", unit="capsule"),
    _tablet("pantoprazole 40 MG Delayed Release Oral Tablet", "314200", "00008060701", "Reflux"),
    _tablet("simvastatin 20 MG Oral Tablet", "312961", "00615799305", "Hyperlipidemia"),
    _tablet("rosuvastatin calcium 10 MG Oral Tablet", "859747", "00378220377", "Hyperlipidemia"),
    _tablet("sertraline 50 MG Oral Tablet", "312941", "00143965530", "Depression"),
    _tablet("escitalopram 10 MG Oral Tablet", "349332", "00143980801", "Anxiety"),
    _tablet("montelukast 10 MG Oral Tablet", "200224", "00054025913", "Allergic rhinitis"),
    _tablet(
        "tamsulosin hydrochloride 0.4 MG Oral Capsule", "863669", "00115821101", "Prostatic hyperplasia", unit="capsule"
    ),
    _tablet("furosemide 20 MG Oral Tablet", "310429", "00054429725", "Edema"),
)
CAUTION = (
    _tablet("warfarin sodium 5 MG Oral Tablet", "855332", "00093172101", "Atrial fibrillation", quantity=30),
    _tablet("clopidogrel 75 MG Oral Tablet", "309362", "00093731405", "Coronary disease", quantity=30),
    _twice("metoprolol tartrate 25 MG Oral Tablet", "866924", "00378001801", "Hypertension"),
    _tablet("prednisone 10 MG Oral Tablet", "198145", "00054001720", "Rheumatoid arthritis", quantity=30),
    _twice("lamotrigine 100 MG Oral Tablet", "198427", "00378425201", "Epilepsy"),
)
CONTROLLED = (
    _tablet("oxycodone hydrochloride 5 MG Oral Tablet", "1049621", "00378611201", "Pain", quantity=30, schedule="II"),
    _twice(
        "methylphenidate hydrochloride 10 MG Oral Tablet", "1091150", "00115180101", "ADHD", quantity=60, schedule="II"
    ),
    Drug(
        "buprenorphine 8 MG / naloxone 2 MG Sublingual Film",
        "1010604",
        "00378876716",
        "film",
        "sublingual",
        "once daily",
        "Place 1 film under the tongue once daily",
        30,
        "Opioid use disorder",
        "III",
    ),
    _tablet("zolpidem tartrate 10 MG Oral Tablet", "854873", "00054008725", "Insomnia", quantity=30, schedule="IV"),
    _twice("alprazolam 0.5 MG Oral Tablet", "308048", "", "Anxiety", quantity=60, schedule="IV"),
    _twice("clonazepam 0.5 MG Oral Tablet", "197527", "00093083201", "Panic disorder", quantity=60, schedule="IV"),
    _twice("tramadol hydrochloride 50 MG Oral Tablet", "835603", "00093005801", "Pain", quantity=60, schedule="IV"),
    Drug(
        "pregabalin 75 MG Oral Capsule",
        "483450",
        "00228285809",
        "capsule",
        "oral",
        "twice daily",
        "Take 1 capsule by mouth twice daily",
        60,
        "Neuropathy",
        "V",
    ),
)
BRANDS = (
    _tablet("lisinopril 10 MG Oral Tablet [Zestril]", "104377", "24979024007", "Hypertension"),
    _tablet("atorvastatin 20 MG Oral Tablet [Lipitor]", "617318", "", "Hyperlipidemia"),
)
AS_NEEDED = _tablet("ibuprofen 600 MG Oral Tablet", "197806", "00615831039", "Pain", quantity=30)
OVER_THE_COUNTER = _tablet(
    "cetirizine hydrochloride 10 MG Oral Tablet", "1014678", "00113945813", "Allergy", quantity=30
)
STRENGTHS = (MAINTENANCE[0], MAINTENANCE[1])
