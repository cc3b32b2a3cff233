"""Does a problem list speak of pregnancy, of planning one, or of breastfeeding? By ICD code first, then by words.

Clinical check `pregnancy`: "pregnant, planning or breastfeeding, per chart or message". Pure; it never judges.
"""

import re
from collections.abc import Iterable

# ICD-10-CM: O00-O9A pregnancy, childbirth and the puerperium (O94 sequelae is not one); Z31 procreative management
# (planning), Z32.01 positive test, Z33 pregnant state, Z34 and Z36 supervision, Z3A weeks, Z39 postpartum.
_ICD10 = re.compile(r"O(?!94)\d|O9A|Z31|Z3201|Z33|Z34|Z36|Z3A|Z39")
# ICD-9-CM: 630-679 pregnancy and childbirth, V22 V23 supervision, V24 postpartum, V26 procreative management, V91.
_ICD9 = re.compile(r"6[3-7]\d|V22|V23|V24|V26|V91")
_WORDS = re.compile(
    r"\b(pregnan\w*|gravid\w*|gestation\w*|antenatal|prenatal|post-?partum|lactat\w*|breast-?\s?feeding|nursing mother|"
    r"trying to conceive|planning (a )?pregnancy|fertility treatment|ivf)\b",
    re.IGNORECASE,
)
_NOT = re.compile(r"\b(not|no|never|denies|negative|history of|h/o|prior|previous|past|resolved)\b", re.IGNORECASE)


def is_spoken_of(*, entries: Iterable[tuple[str, str, str]]) -> bool | None:
    """True: an active entry says so. None: one may say so (words that may also deny it). False: the whole list was
    read and none does. `entries` are (words, ICD code without dots, ICD version) of active problems."""
    unsure = False
    for words, code, version in entries:
        known = _ICD9 if version.strip() == "9" else _ICD10
        if known.match(code):
            return True
        if _WORDS.search(words):
            if not _NOT.search(words):
                return True
            unsure = True
    return None if unsure else False
