"""Numbers that say nothing of a dose: dates, birth dates, telephone and prescription numbers, ages, times of day.

Over folded text, English and Spanish. A number beside a drug that is none of these stays a strength to be compared.
"""

from __future__ import annotations

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?|enero|febrero|marzo|abril|mayo|junio|julio|agosto|sep?tiembre|octubre|noviembre"
    r"|diciembre)\b\.?"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_YEAR = r"(?:of |del? )?'?(?:19|20)?\d{2}"
_DATE = (
    rf"(?:\d{{1,2}}[-/.]\d{{1,2}}[-/.](?:19|20)?\d{{2}}|(?:19|20)\d{{2}}-\d{{1,2}}-\d{{1,2}}"
    rf"|{_MONTH} {_DAY},? ?(?:{_YEAR})?(?!\d)|(?:the )?{_DAY} (?:of |de )?{_MONTH}(?:,? ?{_YEAR})?(?!\d)"
    rf"|\d{{8}}|\d{{1,2}}/\d{{1,2}}(?![/\d]))"
)
_BIRTH = (
    r"(?:d\.?o\.?b\.?|date of birth|birth ?(?:date|day)|born(?: on)?|bday|fecha de nacimiento|fdn"
    r"|(?:yo )?naci(?:do|da)?(?: el)?|nacimiento)"
)
FIGURES: tuple[str, ...] = (
    rf"\b(?:my |mi )?{_BIRTH}[\s:#,-]*(?:is |es )?(?:el |on |the )?{_DATE}",
    rf"\b{_DATE} {_BIRTH}\b",
    # A full date with its year, wherever it stands: nobody writes a strength like that.
    r"(?<![\d/.-])\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)?\d{2}(?![\d/])(?! ?(?:mg|mcg|ml|units?)\b)",
    rf"\b{_MONTH} {_DAY},? (?:19|20)\d{{2}}\b",
    rf"\b{_DAY} (?:of |de )?{_MONTH},? (?:of |del? )?(?:19|20)?\d{{2}}\b",
    # The day the supply ends, or by which it is wanted.
    rf"\b(?:(?:out|low|due|empty|gone|ends?|ending|out again|need it|needed) (?:on|by|around)|by"
    rf"|before|until) (?:the )?(?:{_MONTH} {_DAY}|\d{{1,2}}(?:st|nd|rd"
    rf"|th)"
    rf"|{_DAY} de {_MONTH}|\d{{1,2}}/\d{{1,2}})(?![\d/])",
    r"\b(?:phone|cell|number|mobile|tel|telefono|celular|cel|numero)\b[\s:#-]*"
    r"(?:is |es )?\+?1?[-. (]*\d{3}[-. )]*\d{3}[-. ]*\d{4}\b",
    r"(?<![\d])\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}(?!\d)",
    r"\b(?:rx|prescription|script|receta)(?: ?(?:number|no|num|numero|nro))?\.? ?(?:is |es )?[#:]? ?\d{5,9}\b",
    r"#\d{5,9}\b",
    r"(?<=\d)'?s\b",
    r"\b(?:ph|phone|tel|cell)[.:]? ?\d{3}-\d{4}(?!\d)|(?<!\d)\d{3}-\d{4}(?!\d)",
    r"(?:(?<=^)|(?<=\n)|(?<=[ :(]))\d{1,2}[).](?=\s+[a-z])",
    r"\b(?:county )?(?:road|rd|route|street|st|hwy|highway|calle|avenida|ave) \d{1,5}\b|\b(?:la|en la|de la)"
    r" (?:calle )?\d{1,3}(?= ?(?:$|[.,?!]))",
    r"\b\d{1,2}k\b|\b\d{1,2}[-/ ](?:ene|feb|mar|abr|may|jun|jul|ago|sep|oct|nov|dic)[a-z]*[-/ ]\d{2,4}\b",
    r"(?:(?<=the )|(?<=july )|(?<=good )|(?<=on )|(?<=around )|(?<=by )|(?<=for ))\d{1,2}(?:st|nd|rd|th)\b",
    r"\b(?:since|from|desde) (?:19|20)\d\d\b",
    r"\b(?:apt|apartment|suite|unit|ste|apto|apartamento|zip|exit|milepost|route|rt|hwy|highway|i)[. #-]*\d{1,5}\b",
    r"\b(?:mrn|chart|account|acct|member|patient)(?: ?(?:number|no|id|num))?[. #:]*\d{4,12}\b",
    r"\b(?:at|around|by|a las|como a las) \d{1,2}(?::\d{2})? ?(?:a\.?m|p\.?m)\b\.?",
)
