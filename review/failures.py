"""What a network's refusal means and what to do about it: the code as received, its meaning, the step, the runbook.

Facts of the contract (surescripts 6.2, 6.3); reads nothing, decides nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from integrations.surescripts import script_codes

_OURS = "A fault of ours, not of the prescription: prescribe in DrChrono and tell support."
_STEPS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "008": ("The pharmacy may have it. Call and ask before anything is sent again.", "A prescription is locked"),
        "103": ("Compare the patient's name with the chart, then send again.", "Data was refused"),
        "134": ("Enter the quantity, then send again.", "Data was refused"),
        "144": ("Lower the number of refills, then send again.", "Data was refused"),
        "210": ("It was tried again three times. Send again later, or call the pharmacy.", "The network is busy"),
        "220": ("The network has this message already. Wait for its final word.", "A prescription is locked"),
        "500": (_OURS, "A fault of ours"),
        "1000": ("The network does not know the pharmacy or the sender named in the text. Choose another pharmacy.",
                 "A pharmacy is not known"),
        "2000": ("Correct the field named in the text, then send again.", "Data was refused"),
        "3000": (_OURS, "A fault of ours"),
        "4000": ("The pharmacy cannot be reached now. Call it, or choose another.", "A pharmacy cannot be reached"),
        "4010": ("The pharmacy may have it. Call and ask before anything is sent again.", "A prescription is locked"),
        "4020": ("The network failed on its way. Call the pharmacy before anything is sent again.",
                 "A prescription is locked"),
        "4030": ("The network does not let this prescriber send it. An administrator looks at the SPI.",
                 "A prescriber may not send"),
        "4040": ("This pharmacy does not take it by the network. Choose another.", "A pharmacy does not take it"),
        "600": ("The network was busy; it was tried again three times. Send again later.", "The network is busy"),
        "601": ("The pharmacy's system could not take it. Call the pharmacy, or choose another.",
                "A pharmacy cannot be reached"),
        "602": ("The pharmacy may have it. Call and ask before anything is sent again.", "A prescription is locked"),
        "700": ("Our set-up at the network is wrong. An administrator looks at the connection.", "A fault of ours"),
        "900": ("Read the words as received, mend what they name, then send again.", "Data was refused"),
        "not_connected": ("Surescripts is not connected. An administrator connects it.", "A fault of ours"),
        "no_secret": ("The client certificate is missing. An administrator adds it.", "A fault of ours"),
        "signing_not_here": ("It was signed here, but may not leave from here. Prescribe it in DrChrono.",
                             "A prescriber may not send"),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failure:
    """One refusal in words. `code`: exactly as received. `runbook`: the heading of docs/runbook.md."""

    code: str
    meaning: str
    step: str
    runbook: str


def explain(code_line: str) -> Failure | None:
    """The refusal "900 / 1000" in words; None without a code. The most telling code known decides the step."""
    codes = [part.strip() for part in code_line.split("/") if part.strip()]
    if not codes:
        return None
    known = {**script_codes.ERROR_CODES, **script_codes.DESCRIPTION_CODES}
    meaning = "; ".join(known[code] for code in codes if code in known)
    told = next((code for code in reversed(codes) if code in _STEPS), "")
    step, runbook = _STEPS.get(told, ("Read the words as received, or call the pharmacy.", "Data was refused"))
    return Failure(code=code_line, meaning=meaning, step=step, runbook=runbook)
