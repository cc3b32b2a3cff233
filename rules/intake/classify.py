"""What a thread is about: intents with the words that show them, over the coalesced words of a burst.

Danger is looked for in every word, misspelt danger too; other topics outside drug names and fixed harmless phrases.
Ambiguity is kept, not settled: the reader turns it into a doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from rules.intake import courtesy, danger, everyday, figures, harmless, letters, phrases, plain_words, supply_left
from rules.intake.reading import Intent
from rules.intake.sieve import Sieve

ALWAYS_READ = frozenset({Intent.emergency})
READ_IN_PHRASES = frozenset({Intent.emergency, Intent.symptom, Intent.pregnancy})


@dataclass(frozen=True, slots=True)
class Seen:
    """An intent shown by the folded characters [start, end)."""

    intent: Intent
    start: int
    end: int
    weight: int


def mask(*, text: str, spans: Iterable[tuple[int, int]], mark: str = "_") -> str:
    """The text with the spans blotted out, same length; drugs as "_", all else as "~", as patterns tell them apart."""
    out = list(text)
    for start, end in spans:
        out[start:end] = mark * (end - start)
    return "".join(out)


def mended(*, text: str, words: Sequence[letters.Token], known: set[int]) -> str:
    """The text with misspelt words of danger put right, same words otherwise; "" when nothing was mended.

    `known`: tokens already explained (drug names, harmless phrases).
    """
    changes: list[tuple[int, int, str]] = []
    for index, word in enumerate(words):
        if index in known or len(word.text) < 4 or len(word.text) > 24 or word.text in plain_words.ALL:
            continue
        if word.text in everyday.load().known:
            continue  # "overdue" is no misspelt overdose
        squeezed = re.sub(r"(.)\1{2,}", r"\1", word.text)
        for right in danger.DANGER_WORDS:
            allowed = 1 if len(right) < 8 else 2
            if (
                abs(len(right) - len(squeezed)) <= allowed
                and right != word.text
                and (OSA.distance(right, squeezed, score_cutoff=allowed) <= allowed)
            ):
                changes.append((word.start, word.end, right))
                break
    if not changes:
        return ""
    out, at = [], 0
    for start, end, right in changes:
        out += [text[at:start], right]
        at = end
    return "".join((*out, text[at:]))


def topics(
    *,
    text: str,
    drugs: Sequence[tuple[int, int]],
    fixed: Sequence[tuple[int, int]],
    names: Sequence[tuple[int, int]] = (),
) -> list[Seen]:
    """Every intent shown in a folded text, refill and thanks included, in order of TOPICS.

    `names`: people's full or titled names; a symptom that is nothing but a part of one ("Mrs. Hurt") is none.
    """
    text = text.replace("\n", " ")  # a sentence may run over two messages of a burst
    without_drugs = mask(text=text, spans=drugs)
    without_phrases = mask(text=without_drugs, spans=fixed, mark="~")
    seen: list[Seen] = []
    for intent, weight, pattern in phrases.TOPICS:
        if intent in ALWAYS_READ:
            searched = danger.meant(text=text)
        elif intent in READ_IN_PHRASES:
            searched = without_drugs
        else:
            searched = without_phrases
        found = (match.span() for match in pattern.finditer(searched))
        if intent not in ALWAYS_READ:  # "Mrs. Hurt", "for my migraines", "Cedar Falls"
            found = (span for span in found if not any(low <= span[0] and span[1] <= high for low, high in names))
        seen += [Seen(intent, start, end, weight) for start, end in found]
    strong = [Seen(Intent.refill, match.start(), match.end(), 100) for match in phrases.REFILL_STRONG.finditer(text)]
    weak = [Seen(Intent.refill, match.start(), match.end(), 85) for match in phrases.REFILL_WEAK.finditer(text)]
    seen += strong or weak
    seen += [Seen(Intent.thanks, match.start(), match.end(), 90) for match in phrases.THANKS.finditer(text)]
    return seen


def harmless_spans(*, text: str) -> list[tuple[int, int]]:
    """Fixed phrases that say nothing clinical ("no rush", "my date of birth is ...", "two pills left")."""
    found = FIXED.spans(text)
    found += [(start, end) for start, end in LOOSE.spans(text) if not _says_more(text[start:end])]
    # A phrase that holds words of danger is not harmless, whatever its frame.
    return [
        (start, end)
        for start, end in found
        if not danger.EMERGENCY.search(text[start:end]) and not danger.SYMPTOM.search(text[start:end])
    ]


THANKING = re.compile(
    r"\b(?:thank\w*|thx|gracias|appreciate\w*)(?: (?:you|so|very|much|a|lot|for|your|all|the"
    r"|everything|time|help|do|quick|response|reply"
    r"|taking|care|of|me|being|great|best|assistance|service|kindness|it|that|por|su|ayuda|todo|y"
    r"|usted|ustedes|atencion|sending|refill\w*|my|that))*"
)
FIXED = Sieve(patterns=(*harmless.HARMLESS, *courtesy.COURTESY, *supply_left.SUPPLY_LEFT, *figures.FIGURES))
LOOSE = Sieve(patterns=courtesy.OPEN)


def _says_more(text: str) -> bool:
    """Whether a stretch of free words holds a topic, a negation or a condition."""
    if phrases.NEGATION.search(text) or phrases.CONDITION.search(text):
        return True
    return any(pattern.search(text) for _, _, pattern in phrases.TOPICS)
