"""Words of emergency and symptom, in English and Spanish, over folded text.

Wide on purpose: a false alarm costs a look, a miss may cost a life. Only ever widened.
"""

from __future__ import annotations

from rules.intake import danger_sayings, danger_signs, sieve

EMERGENCY = sieve.any_of(
    *(pattern for _, pattern in (*danger_signs.SIGNS, *danger_sayings.MORE_SIGNS)),
    r"\bover-?\s?dos\w*",
    r"\bsobredosis\b",
    r"\btoo many (?:pills?|tablets?|of)\b",
    r"\btook (?:all|the whole|a whole|the entire|a bunch|a lot|a handful|way too|\d{2,})\b",
    r"\btook (?:my )?(?:husband|wife|mom|dad|son|daughter|kid)'?s\b",
    r"\baccidentally (?:took|swallow\w*|ate)\b",
    r"\b(?:took|swallowed|ate|got into) (?:some of )?(?:my|his|her|the) (?:pills|meds|medicine)\b",
    r"\b(?:demasiadas|muchas) pastillas\b",
    r"\b(?:me )?tom[eo] (?:todas|todo|demasiad\w+)\b",
    r"\bpoison\w*",
    r"\benvenen\w+",
    r"\bsuicid\w*",
    r"\bkill (?:myself|my self)\b",
    r"\bkilling myself\b",
    r"\bend (?:it all|my life|"
    r"it)\b",
    r"\b(?:want|going|wanna|ready|wish) (?:to|i (?:was|were)|na)? ?(?:die|dead|disappear)\b",
    r"\bbetter off dead\b",
    r"\bnot (?:want(?:ing)? to|wanna) (?:live|be here|wake up|be alive)\b",
    r"\bdon'?t (?:want to|wanna) (?:live|be here|wake up|be alive|go on|exist)\b",
    r"\b(?:hurt|harm|cut)(?:ing|ting)? my ?self\b",
    r"\bself[- ]?harm\w*",
    r"\bno reason to live\b",
    r"\bmatarme\b",
    r"\bquitarme la vida\b",
    r"\bno quiero vivir\b",
    r"\bquiero morir\w*",
    r"\bhacerme dano\b",
    r"\blastimarme\b",
    r"\bhurt (?:someone|somebody|him|her|them|people)\b",
    r"\bchest\b.{0,30}\b(?:pain\w*|hurt\w*|tight\w*|pressure|heav\w+|squeez\w+|crush\w+|burn\w*|ach\w+|discomfort"
    r"|weird)\b",
    r"\b(?:pain\w*|pressure|tight\w*|heaviness|squeezing|crushing|burning|discomfort)\b.{0,20}\b(?:in|on"
    r"|across) (?:my |the )?chest\b",
    r"\b(?:dolor|presion|opresion)\b.{0,15}\b(?:de|en|del) (?:el )?pecho\b",
    r"\bme duele (?:mucho )?el pecho\b",
    r"\bheart attack\b",
    r"\b(?:ataque|infarto)\b.{0,12}\b(?:corazon|cardiaco)\b",
    r"\binfarto\b",
    r"\b(?:can'?t|cannot|can not|cant|couldn'?t|hard to|trouble|difficult\w*|unable to|struggl\w+|problems?"
    r"|hardly|barely)\b.{0,15}\bbreath\w*",
    r"\bshort(?:ness)?\b.{0,6}\bbreath\b",
    r"\bout of breath\b",
    r"\bs\.?o\.?b\b",
    r"\bgasping\b",
    r"\bbreathless\w*",
    r"\bchok(?:e|ing)\b",
    r"\b(?:no puedo|dificultad|cuesta|problemas?|no puede)\b.{0,15}\brespir\w+",
    r"\bfalta (?:de|el) aire\b",
    r"\bahog\w+",
    r"\bstroke\b",
    r"\bderrame\b",
    r"\bface\b.{0,15}\b(?:droop\w*|numb(?!er)\w*|drooping|swell\w*|swollen|twist\w*)",
    r"\bslurr\w*",
    r"\b(?:can'?t|cannot|trouble|unable to) (?:speak\w*|talk\w*|swallow\w*|move|see|walk|wake|stay awake)\b",
    r"\b(?:numb(?!er)\w*|weak\w*|paraly\w+)\b.{0,25}\b(?:one|left|right) (?:side|arm|leg)\b",
    r"\b(?:left|right|one) (?:side|arm|leg)\b.{0,20}\b(?:numb(?!er)\w*|weak\w*|tingl\w*|paraly\w*|pain\w*|hurt\w*)\b",
    r"\bworst headache\b",
    r"\bthunderclap\b",
    r"\bcara\b.{0,10}\b(?:caida|torcida|dormida|hinchad\w+)\b",
    r"\bsudden\w*\b.{0,20}\b(?:vision|blind\w*|weak\w*|confus\w*|headache)\b",
    r"\b(?:pass(?:ed|ing)?|black(?:ed|ing)?)\b.{0,5}\bout\b",
    r"\bfaint(?:ed|ing)?\b",
    r"\bcollaps\w+",
    r"\bunconscious\b",
    r"\bunresponsive\b",
    r"\bnot (?:responding|waking|breathing)\b",
    r"\bdesmay\w+",
    r"\binconsciente\b",
    r"\bseizure (?:today|now|last)\b",
    r"\b(?:had|having|have) a seizure\b",
    r"\bbleed(?:ing|s)?\b",
    r"\bblood in\b",
    r"\b(?:vomit\w*|throw\w* up|threw up|cough\w*|spit\w*|pee\w*|poop\w*) (?:up )?blood\b",
    r"\bhemorrhag\w*",
    r"\bblack (?:tarry )?stools?\b",
    r"\bsangr\w+",
    r"\banaphyla\w*",
    r"\banafila\w*",
    r"\bthroat\b.{0,20}\b(?:clos\w+|swell\w*|swollen|tight\w*)",
    r"\b(?:tongue|lips?|face|throat|eyes|airway)\b.{0,20}\b(?:swell\w*|swollen|swelled)",
    r"\b(?:swell\w*|swollen)\b.{0,20}\b(?:tongue|lips?|face|throat|airway)\b",
    r"\b(?:severe|bad|serious|terrible) (?:allergic )?reaction\b",
    r"\breaccion (?:alergica|grave|severa)\b",
    r"\b(?:lengua|labios?|garganta|cara)\b.{0,15}\b(?:hinchad\w+|cerrando|inflamad\w+)\b",
    r"\b(?:se me )?(?:cierra|hincho|hincha)\b.{0,10}\b(?:garganta|lengua|cara)\b",
    r"\b9-?1-?1\b",
    r"\bemergenc\w+",
    r"\bambulanc\w+",
    r"\bhives\b",
    r"\bcan'?t stop (?:bleeding|vomiting|throwing)\b",
    r"\bdying\b",
    r"\bdie\b",
    r"\bmuriendo\b",
    r"\bme muero\b",
    r"\bnarcan\b",
    r"\bsuffocat\w*",
    r"\bblue lips\b",
    r"\bcoma\b",
    r"\bblood sugar (?:is |of |was )?(?:over |under |below |above )?(?:[1-5]\d|[4-9]\d\d)\b",
)

_NOT_MEANT = sieve.any_of(danger_sayings.NOT_MEANT)


def meant(*, text: str) -> str:
    """The text with manners of speaking blotted out, same length."""
    out = list(text)
    for start, end in manners(text=text):
        out[start:end] = "~" * (end - start)
    return "".join(out)


def manners(*, text: str) -> list[tuple[int, int]]:
    """Where manners of speaking stand."""
    return [match.span() for match in _NOT_MEANT.finditer(text)]


SYMPTOM = sieve.any_of(
    r"\b(?:hurt\w*|pain|pains|painful|ach(?:e|es|ing|y)|sore\w*|dizz\w*|light-?\s?head\w*|nause\w*|vomit\w*"
    r"|rash\w*|itch\w*)\b",
    r"\bthrow\w* up\b|\bthrew up\b",
    r"\b(?:swell\w*|swollen|fever\w*|cough\w*|headaches?|migraines?|fatigue\w*|tired\w*|exhaust\w+|weak\w*)\b",
    r"\b(?:blurr\w*|diarrhea|constipat\w*|bruis\w*|palpitat\w*|cramp\w*|numb(?!er)\w*|tingl\w*|sweat\w*|wheez\w*"
    r"|burn(?:s|ing)?)\b",
    r"\b(?:heart|pulse)\b.{0,15}\b(?:rac\w+|pound\w*|flutter\w*|skip\w*|fast|slow)\b",
    r"\bside[- ]?effects?\b",
    r"\breact(?:ion|ed|ing)\b",
    r"\ballergic\b",
    r"\b(?:sick|ill|unwell|worse\w*|worsen\w*|awful|terrible|horrible|miserable|lousy|woozy|foggy|shaky|shak(?:e"
    r"|es|ing)|jitter\w*|tremor\w*)\b",
    r"\bfeel(?:s|ing)?\b|\bfelt\b",
    r"\bsymptoms?\b",
    r"\b(?:anxious|anxiety|depress\w*|panic\w*|insomnia|suffer\w*|crying|sad|hopeless|overwhelm\w*)\b",
    r"\b(?:can'?t|cannot|cant|not|trouble|barely) (?:sleep\w*|eat\w*|stand|walk|pee|think|focus|keep)\b",
    r"\b(?:not|isn'?t|doesn'?t|don'?t|stopped|aren'?t|hasn'?t)\b.{0,12}\b(?:work\w*|help\w*)\b",
    r"\binfect\w*",
    r"\bflar\w+",
    r"\buti\b",
    r"\b(?:bp|blood pressure|pressure|sugars?|glucose|heart rate|pulse)\b.{0,18}(?:\b(?:high|low|up|down|spik\w+"
    r"|drop\w*|out of control|elevated)\b|\d{2,3})",
    r"\b(?:fell|fall(?:s|ing|en)?|hallucinat\w*|confus\w*|forget\w*|gain\w*|losing weight|lost weight|legs?"
    r"|ankles?|stomach (?:ache|hurts|pain)|belly|throat|bloat\w*)\b",
    r"\b(?:injur\w+|wound\w*|broke[n]?|sprain\w*|hospital\w*|er visit|urgent care|covid|flu|pneumonia|surgery)\b",
    r"\bmiss(?:ed|ing)? (?:a |some |several |\w+ )?dos\w*",
    r"\b(?:dolor\w*|duele\w*|mare[oa]\w*|nausea\w*|vomit\w*|fiebre|tos|sarpullido|ronchas|picazon|comezon"
    r"|hinchaz\w+|hinchad\w+|cansad\w*|debil\w*|diarrea|estrenid\w*|migrana|ardor|calambre\w*|temblor\w*"
    r"|sintoma\w*|enferm\w*|peor|mal|siento|sentir\w*|sentido|alergic\w*|efectos? secundarios?|ansios\w*"
    r"|deprimid\w*|triste|palpitacion\w*|moretones)\b",
)

# Words of danger that are corrected when misspelt by one letter, before danger is looked for.
DANGER_WORDS = (
    "chest",
    "breathe",
    "breathing",
    "breath",
    "suicide",
    "suicidal",
    "overdose",
    "overdosed",
    "bleeding",
    "swelling",
    "swollen",
    "throat",
    "seizure",
    "unconscious",
    "fainted",
    "stroke",
    "emergency",
    "anaphylaxis",
    "pregnant",
    "dizzy",
    "vomiting",
    "headache",
    "rash",
    "pain",
    "hurts",
    "myself",
    "ambulance",
    "slurred",
    "numbness",
    "palpitations",
    "symptoms",
    "pecho",
    "respirar",
    "dolor",
    "sangrado",
    "embarazada",
    "suicidio",
    "sobredosis",
)
