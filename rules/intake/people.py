"""Which words of a message are people's names: in greetings, introductions and signatures, and after a title.

Only places where a name is expected are looked at: a name anywhere else ("refill Gloria's metformin") may be another
patient. A word that the language knows is a name only where the census knows it as one too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Sequence

from rules.intake import everyday, letters, plain_words
from rules.intake.lexicon import Lexicon, NameKind

TITLES = frozenset(
    "dr dra doc doctor doctora mr mrs ms miss sr sra srta don dona senor senora ing lic prof professor rev pastor sis"
    " sister"
    " bro brother fr father deacon capt sgt coach nurse np pa md rn aka jr iii ii".split()
)
CLOSINGS = frozenset(
    "thanks thank thx ty thankyou gracias gracia regards sincerely best cheers respectfully saludos atte att"
    " atentamente"
    " bendiciones blessings yours warmly cordially love xo xoxo peace you u much appreciated advance please pls plz"
    " patient paciente porfa favor truly faithfully ever amor".split()
)
_WORD = r"[a-z][a-z'.-]*"
# "this is Ana Reyes", "it's Gretchen", "soy don Chuy", "le habla Nilda"
_INTRODUCED = re.compile(
    rf"\b(?:this is|this's|it is me|it's me|its me|it is|it's|its"
    r"|my name is|my name's|name is|name's|name:|i am|i'm|im|me llamo|mi nombre es"
    rf"|soy|habla"
    rf"|le habla|les habla|le escribe|les escribe|aqui|es|de parte de|from|patient(?: name)?:?|paciente:?|your"
    rf" patient|su"
    rf" paciente|de su paciente|yours|con) ((?:{_WORD} ){{0,4}}{_WORD})"
)
_SAYS_NAME = re.compile(r"(?:my name|name|me llamo|mi nombre|soy|this is|le habla|le escribe)\b")
_HERE = re.compile(rf"((?:{_WORD} ){{0,2}}{_WORD}),? (?:here|aqui|reporting)\b")
_GREETED = re.compile(
    rf"\b(?:hi|hey|hello|hola|dear|good (?:morning|afternoon|evening)|morning|buen(?:os|as)? (?:dias?|tardes|noches)"
    rf"|estimad[oa]"
    rf"|querid[oa]|saludos|thanks|thank you|gracias|yo|buenas|hiya|howdy|oye|oiga),? ((?:{_WORD} ){{0,3}}{_WORD})"
)
# Certain titles are followed by a surname whatever its letters.
_TITLED = re.compile(rf"\b(?:dr|doctor|dra|doctora|mr|mrs|ms|sr|sra|nurse|dona|don)\.? ((?:{_WORD} )?{_WORD})")
_PART = re.compile(r"[.,;:!?\n()/\u2014~*|]+| -+ ?|(?<=[a-z]) -(?=[a-z])|^-+|--+")
_VERBISH = re.compile(r"(?:ed|ing|n't|says?|said|told|wants?|gave|took|put|has|had|will|can|could|please|is|are)$")
MOST_WORDS = 4
_FIGURE_WORDS = frozenset("dob d o b born birth birthday bday date of apt ph phone cell".split())


def name_tokens(
    *,
    text: str,
    words: Sequence[letters.Token],
    original: Sequence[str],
    known_names: Collection[str],
    figures: Collection[int],
    lexicon: Lexicon,
) -> set[int]:
    """Indexes of the words that are names. `original`: the words as written, for their capitals; `figures`: indexes of
    words already explained (a birth date behind a signature does not part it from the end)."""
    lists = everyday.load()
    at = {word.start: index for index, word in enumerate(words)}
    own = {part for name in known_names for part in letters.key(text=name).split() if len(part) > 1}
    found = {index for index, word in enumerate(words) if word.text in own}
    judge = _Judge(words, original, lists, lexicon, found)
    for pattern, is_sure in ((_INTRODUCED, False), (_GREETED, False), (_TITLED, True)):
        for match in pattern.finditer(text):
            says_name = bool(_SAYS_NAME.match(match.group())) or _is_all_census(match.group(1), lists)
            named = judge.run(first=at.get(match.start(1)), is_sure=is_sure, end=match.end(1), takes_census=says_name)
            if named and pattern is _INTRODUCED:
                named |= {at[start] for start in at if match.start() <= start < match.start(1)}
            found |= named
    for match in _HERE.finditer(text):
        named = judge.whole(start=match.start(1), end=match.end(1))
        found |= named | ({at[start] for start in at if match.end(1) <= start < match.end()} if named else set())
    found |= _parts(text=text, words=words, judge=judge, figures=figures)
    found |= {
        index for index, word in enumerate(words) if len(word.text) == 1 and index + 1 in found and word.text.isalpha()
    }
    leads = TITLES | {"att", "atte", "atentamente", "paciente", "patient", "aqui"}
    return found | {index for index, word in enumerate(words) if word.text in leads and index + 1 in found}


def _is_all_census(text: str, lists: everyday.Everyday) -> bool:
    """Whether two or three words are all census names ("its carol simms")."""
    parts = text.split()
    return 2 <= len(parts) <= 3 and all(one.strip(".,") in lists.names for one in parts)


def full_names(
    *, words: Sequence[letters.Token], original: Sequence[str], names: Collection[int]
) -> list[tuple[int, int]]:
    """The characters of names of two words or more, or behind a title, written with capitals: surely a person."""
    found: list[tuple[int, int]] = []
    index = 0
    while index < len(words):
        last = index
        while last < len(words) and last in names and original[last][:1].isupper():
            last += 1
        is_titled = last - index >= 2 or (last > index and index and words[index - 1].text in TITLES)
        if is_titled and not all(one.isupper() and len(one) > 1 for one in original[index:last]):
            found.append((words[index].start, words[last - 1].end))
        index = max(last, index + 1)
    return found


class _Judge:
    """Says whether a word may be a name, by what the lists know of it and how it is written."""

    def __init__(
        self,
        words: Sequence[letters.Token],
        original: Sequence[str],
        lists: everyday.Everyday,
        lexicon: Lexicon,
        own: set[int],
    ) -> None:
        self.words, self.original, self.lists, self.lexicon, self.own = words, original, lists, lexicon, own
        capitals = sum(1 for one in original if one[:1].isupper())
        self.is_shouted = capitals * 2 > len(original) and any(one.isupper() and len(one) > 3 for one in original)

    def is_name(self, index: int, *, is_sure: bool) -> bool:
        """True for a census name, an initial, or (`is_sure`, or written with a capital) a word no language list has."""
        word = self.words[index].text
        if index in self.own:
            return True
        if not word[0].isalpha() or self._is_drug(word):
            return False
        bare = word.replace("'s", "").replace("'", "")
        if len(bare) == 1:
            return word not in ("i", "a", "u", "y", "o", "e", "q") or self.original[index].isupper()
        if bare in plain_words.ALL and bare not in self.lists.names:
            return False
        if bare in self.lists.names:
            return (
                bare not in self.lists.known or is_sure or (self.original[index][:1].isupper() and not self.is_shouted)
            )
        if bare in self.lists.known:
            return False
        # A word of no list that stands near a drug's name is a misspelt drug before it is a name.
        if len(bare) >= 5 and self.lexicon.near(word=bare, limit=1 if len(bare) < 8 else 2):
            return False
        return is_sure or (self.original[index][:1].isupper() and not self.is_shouted)

    def _is_written_as_name(self, index: int) -> bool:
        return self.original[index][:1].isupper() and not self.is_shouted

    def _is_drug(self, word: str) -> bool:
        name = self.lexicon.names.get(word)
        return name is not None and name.kind is not NameKind.hint and word not in self.lists.names

    def run(self, *, first: int | None, is_sure: bool, end: int, takes_census: bool = False) -> set[int]:
        """The names in a row from word `first`, at most four, titles between allowed.

        `takes_census`: a census name counts even where it is a word too, as "my name is" stands before it."""
        found: set[int] = set()
        index = first
        while index is not None and index < len(self.words) and self.words[index].end <= end:
            word = self.words[index].text
            if (
                word in TITLES
                or (
                    is_sure
                    and not found
                    and len(word) > 2
                    and word not in plain_words.ALL
                    and not _VERBISH.search(word)
                    and (word.removesuffix("'s") not in self.lists.known or self._is_written_as_name(index))
                )
                or self.is_name(index, is_sure=False)
                or (takes_census and word in self.lists.names and word not in plain_words.ALL)
            ):
                found.add(index)
            else:
                break
            index += 1
            if len(found) > MOST_WORDS or (is_sure and len(found) >= 2):
                break
        return {one for one in found if self.words[one].text not in TITLES} | (found if len(found) > 1 else set())

    def whole(self, *, start: int, end: int) -> set[int]:
        """All words in [start, end) from the last name backwards."""
        inside = [index for index, word in enumerate(self.words) if start <= word.start and word.end <= end]
        found: set[int] = set()
        for index in reversed(inside):
            if not self.is_name(index, is_sure=False):
                break
            found.add(index)
        return found


def _parts(*, text: str, words: Sequence[letters.Token], judge: _Judge, figures: Collection[int]) -> set[int]:
    """Parts of a message that are nothing but a name: a signature, or the first words of an introduction."""
    found: set[int] = set()
    lines = text.split("\n")
    line_ends = [sum(len(one) + 1 for one in lines[: at + 1]) - 1 for at in range(len(lines))]
    bounds = [0, *(match.end() for match in _PART.finditer(text)), len(text) + 1]
    for begin, stop in itertools.pairwise(bounds):
        inside = [
            index
            for index, word in enumerate(words)
            if begin <= word.start
            and word.end <= stop
            and not (index in figures and (word.is_number or word.text in _FIGURE_WORDS))
        ]
        if not inside:
            continue
        end = next(one for one in line_ends if one >= words[inside[-1]].start)
        behind = [index for index, word in enumerate(words) if words[inside[-1]].end <= word.start < end]
        closes = all(index in figures or words[index].text in TITLES | CLOSINGS for index in behind)
        found |= _signed(inside=inside, words=words, judge=judge, closes=closes)
    return found


def _signed(*, inside: Sequence[int], words: Sequence[letters.Token], judge: _Judge, closes: bool) -> set[int]:
    """The names at the end of one part, when all of it is names or a closing word stands before them."""
    run: list[int] = []
    for index in reversed(inside):
        word = words[index].text
        if index in judge.own:
            run.append(index)
            continue
        is_joint = bool(run) and word in ("de", "la", "from", "del", "los", "in", "of")
        if len(run) >= MOST_WORDS + 1 or not (word in TITLES or is_joint or judge.is_name(index, is_sure=False)):
            break
        run.append(index)
    while run and words[run[-1]].text in ("de", "la", "from", "del", "los", "in", "of"):
        run.pop()
    if not run:
        return set()
    rest = [index for index in inside if index < run[-1]]
    is_alone = not rest
    is_closed = bool(rest) and closes and words[rest[-1]].text in CLOSINGS
    if not (is_alone or is_closed):
        return set()
    has_census = any(words[index].text.replace("'", "") in judge.lists.names for index in run)
    return set(run) if has_census or closes else set()
