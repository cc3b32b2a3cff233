"""Patient texts: short, plain, without internals, and without drug names unless the practice says so.

Pure words from values; never sends. English and Spanish; another language falls back to English and a person.
"""

from collections.abc import Mapping
from string import Template

from refillhub.practices.models import Practice
from review.models import ReplyPurpose

_ENGLISH: Mapping[str, str] = {
    ReplyPurpose.SENT: "Your refill request$drug has been sent to $pharmacy. We will write again when they have it.",
    ReplyPurpose.RECEIVED: "$pharmacy has received your refill$drug. Please ask them when it will be ready.",
    ReplyPurpose.VISIT: (
        "Before we can renew this medicine$drug we need to see you. Please book a visit: $booking "
        "If you will run out before then, reply here and we will help."
    ),
    ReplyPurpose.DENIED: (
        "Your care team has looked at your refill request$drug and cannot renew it now. "
        "$note Please reply here or call the office with any question."
    ),
    ReplyPurpose.TOLD: (
        "Your pharmacy has reported that you have refills left$drug. Please ask them to fill it; "
        "no new prescription is needed."
    ),
    ReplyPurpose.HELD: (
        "We have your message. The office is closed; we will look at it when we open ($opening). "
        "If you will run out before then, or this is urgent, please call the office."
    ),
    ReplyPurpose.PHARMACY: "Your preferred pharmacy is now $pharmacy.",
    ReplyPurpose.CORRECTION: (
        "We are sorry: we told you that your refill$drug was on its way, but the pharmacy did not accept it. "
        "A person in our office is working on it and will write to you. Please do not wait at the pharmacy."
    ),
    ReplyPurpose.PRESCRIBED: (
        "Your prescriber has sent your prescription. Please ask your pharmacy when it will be ready."
    ),
    ReplyPurpose.WITH_DOCTOR: (
        "Your request is with your prescriber, who has to handle this medicine in person. We will write again."
    ),
    ReplyPurpose.EMERGENCY: "$emergency",
    ReplyPurpose.ANSWER: "$note",
}
_SPANISH: Mapping[str, str] = {
    ReplyPurpose.SENT: "Su solicitud de resurtido$drug fue enviada a $pharmacy. Le escribiremos cuando la tengan.",
    ReplyPurpose.RECEIVED: "$pharmacy recibió su resurtido$drug. Pregúnteles cuándo estará listo.",
    ReplyPurpose.VISIT: (
        "Antes de renovar este medicamento$drug necesitamos verle. Por favor reserve una cita: $booking "
        "Si se le va a terminar antes, responda aquí y le ayudaremos."
    ),
    ReplyPurpose.DENIED: (
        "Su equipo médico revisó su solicitud$drug y no puede renovarla ahora. "
        "$note Responda aquí o llame al consultorio si tiene preguntas."
    ),
    ReplyPurpose.TOLD: (
        "Su farmacia informó que le quedan resurtidos$drug. Pídales que lo surtan; no hace falta una receta nueva."
    ),
    ReplyPurpose.HELD: (
        "Recibimos su mensaje. El consultorio está cerrado; lo veremos al abrir ($opening). "
        "Si se le va a terminar antes o es urgente, llame al consultorio."
    ),
    ReplyPurpose.PHARMACY: "Su farmacia preferida ahora es $pharmacy.",
    ReplyPurpose.CORRECTION: (
        "Lo sentimos: le dijimos que su resurtido$drug estaba en camino, pero la farmacia no lo aceptó. "
        "Una persona de nuestro consultorio lo está resolviendo y le escribirá. No espere en la farmacia."
    ),
    ReplyPurpose.PRESCRIBED: "Su médico envió su receta. Pregunte a su farmacia cuándo estará lista.",
    ReplyPurpose.WITH_DOCTOR: (
        "Su solicitud está con su médico, que debe atender este medicamento en persona. Le escribiremos de nuevo."
    ),
    ReplyPurpose.EMERGENCY: "$emergency",
    ReplyPurpose.ANSWER: "$note",
}
# Until the practice writes its own.
DEFAULT_EMERGENCY = (
    "If this is an emergency, call 911 now. For thoughts of suicide call or text 988. "
    "For a possible overdose or poisoning call 1-800-222-1222. This inbox is not watched around the clock."
)
# Reasons a person may give; patients read the sentence, the network's codes are in vendors' tables (surescripts 6.4).
DENIAL_NOTES: Mapping[str, str] = {
    "AM": "We would like to see you first.",
    "AF": "Please contact us first.",
    "AD": "It is too early for this refill.",
    "DA": "Our records say this medicine was stopped.",
    "AG": "Your prescriber has decided that a refill is not appropriate now.",
    "AC": "Our records say you are no longer under our care for this medicine.",
    "CZ": "Our records list an allergy.",
    "AP": "It has already been handled another way.",
    "BE": "You asked us not to.",
}


def text(
    *,
    purpose: str,
    practice: Practice,
    drug_name: str = "",
    pharmacy_name: str = "",
    opening: str = "",
    note: str = "",
    language: str = "",
) -> str:
    """The words for one purpose. Raises KeyError for a purpose that has none."""
    table = _SPANISH if language in ("spa", "es") else _ENGLISH
    words = Template(table[purpose]).substitute(
        drug=f" ({drug_name})" if practice.names_drugs_in_replies and drug_name else "",
        pharmacy=pharmacy_name or ("su farmacia" if table is _SPANISH else "your pharmacy"),
        booking=practice.booking_url,
        opening=opening,
        note=note,
        emergency=practice.emergency_text or DEFAULT_EMERGENCY,
    )
    return " ".join(words.split())
