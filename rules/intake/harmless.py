"""Fixed phrases that say nothing clinical, in English and Spanish, over folded text.

Narrow on purpose: whatever a phrase covers is taken as read. One that holds a word of danger is not harmless
(`classify.harmless_spans` sees to it).
"""

from __future__ import annotations

HARMLESS: tuple[str, ...] = (
    r"\bno (?:rush|hurry|worries|problem|prisa)\b",
    r"\b(?:i )?(?:have|has|got|there (?:are|is)|are|is)\s?no (?:more )?(?:refills?|pills|tablets)\b",
    r"\b(?:do not|don'?t) have (?:any|anymore|any more) ?(?:refills?|pills|tablets)?(?: (?:left|remaining))?\b",
    r"\bif (?:it'?s )?possible\b",
    r"\bif (?:you|u) (?:can|could|would|don'?t mind|please)(?: please)?\b",
    r"\bif (?:that'?s|that is|its|it'?s|it is) (?:ok|okay|fine|alright)\b",
    r"\b(?:i )?(?:was|am|i'm|im|were)? ?(?:just )?(?:wondering|hoping|asking|writing|calling|checking|seeing"
    r"|requesting) (?:to see |to ask )?(?:if|whether|to|for)? ?(?:i|you|we|u|dr|doctor)? ?(?:can|could|may"
    r"|might|would)?(?: please| kindly)?(?: get| have| send| call in| refill| request)?\b(?! (?:take|increase"
    r"|change|stop|double))",
    r"\bwhen(?:ever)? (?:you|u) (?:can|could|get (?:a|the) (?:chance|moment|minute|time)|have (?:a"
    r"|the) (?:chance|moment|minute|time))\b",
    r"\blet me know (?:when|if|once) (?:it'?s|it is|its|that'?s|they'?re|you|there'?s|ready|sent|done|this is"
    r"|you need)(?: (?:is|are|has been|have|anything|need|ready|sent|done|you|more|else|from me))*\b",
    r"\bas soon as (?:you can|possible|u can)\b",
    r"\bat your (?:earliest )?convenience\b",
    r"\b(?:by|within|on|before|this) (?:the )?(?:next )?(?:\d{1,2} (?:days?|weeks?)"
    r"|a few days|a couple days|a week|today|tomorrow|tonight|monday|tuesday|wednesday|thursday|friday"
    r"|saturday|sunday|the weekend|weekend|week|month|end of (?:the )?(?:day|week|month))\b",
    r"\b(?:d\.?o\.?b\.?|date of birth|birth ?date|born(?: on)?"
    r"|fecha de nacimiento)\b[\s:#-]*(?:is )?\d{1,4}[-/. ]\d{1,2}[-/. ]\d{2,4}\b",
    r"\b(?:phone|cell|number"
    r"|tel)\b[\s:#-]*(?:is )?\+?1?[-. (]*\d{3}[-. )]*\d{3}[-. ]*\d{4}\b",
    r"\b(?:same|usual|current|regular) (?:dose|dosage|strength|pharmacy|place|one|as (?:before|last time"
    r"|always|usual))\b",
    r"\bsame (?:\w+ )?as (?:before|last time|always|usual)\b",
    r"\b(?:a |my )?new (?:rx|prescription|script)s?\b",
    r"\bhope (?:you|u|all|everyone)(?:'re| are| is|r)? (?:all )?(?:are )?(?:doing |having )?(?:a )?(?:well"
    r"|good|great|nice|fine|ok)(?: (?:day|week|weekend|morning|evening))?\b",
    r"\bhow are (?:you|u)(?: doing)?(?: today)?\b",
    r"\bhave a (?:good|great|nice|wonderful|lovely|blessed|safe) (?:day|one|evening|weekend|night|week"
    r"|afternoon|holiday)\b",
    r"\b(?:i'm|im|i am|we are|its|it'?s|is)? ?(?:about |due |time |up )?(?:due|time|up) for (?:a|my|its"
    r"|the) (?:refill|renewal)\b",
    r"\bfor (?:my )?(?:high )?(?:blood pressure|bp|cholesterol|thyroid|diabetes|hypertension|la presion"
    r"|el colesterol|la tiroides|la diabetes)\b(?!.{0,15}(?:\d|high|low|up\b|spik))",
    r"\b(?:the |my )?pharmacy (?:said|says|told me|asked me|told us|tells me|is asking)(?: that)?(?: i| me"
    r"| to| they| we)*(?: need| needs| have| to| contact| call| ask| get| you| the| my| a| your| office"
    r"| doctor| for| new| prescription| approval| authorization| more| refills?)*\b",
    r"\b(?:i |i've )?(?:have )?(?:run|ran|am|i'm) (?:all |completely |almost |totally |nearly "
    r"|just )?out (?:of|on)?\b",
    r"\b(?:i'm |i am |im )?(?:almost|nearly|completely|totally|about to be|about to run|going to be"
    r"|going to run|will be|i'll be|running|just|getting|all) (?:out|low)(?: of| on)?\b",
    r"\b(?:that'?s|that is|that will be|it'?s|this is) all\b",
    r"\bthank(?:s| you)?(?: so| very)?(?: much)?(?: for (?:your|all your|the|everything|all|you)(?: help"
    r"| time| do| you do| assistance)*)?\b",
    r"\bi(?:'d| would) (?:like|appreciate|love)(?: to| it| if you could)?\b",
    r"\b(?:zzz)\b",
    r"\bal final\b",
    r"\bpor favor\b",
    r"\bpara (?:mi|la|el) (?:presion|colesterol|tiroides|diabetes|azucar)\b",
    r"\bque tenga (?:un )?(?:buen|lindo|bonito) dia\b",
    r"\bse me (?:esta|estan|acabo|acabaron|acaba|acaban|termino|terminaron|termina) ?(?:acabando|terminando"
    r"|agotando)?\b",
    r"\btake care\b",
    r"\b(?:almost|nearly|all) gone\b",
    r"\b(?:have|has|got|down to) (?:only |about |just )?(?:\d{1,3}|one|two|three|four|five|six|seven) (?:more )?"
    r"(?:days?|pills?|tablets?|weeks?)(?: worth)?(?= of (?:my )?[a-z-]+(?: \d+ ?mg)? (?:left|remaining))",
    r"\bi use (?:the )?(?=cvs|walgreens|walmart|rite aid|costco|publix|kroger)",
    r"\bpick (?:it |them |this |that )?up\b",
    r"\b(?:please )?make sure\b",
    r"\bcall(?:ed)? (?:it |this |that |them )?in\b",
    r"\bgod bless(?: you)?\b",
    r"\bsend (?:it |this |that |them )?(?:over|in|through)\b",
    r"\bget (?:it |this |that |them )?(?:filled|refilled)\b",
    r"\bhelp me\b",
    r"\b(?:help|assist) (?:with|getting)\b",
    r"\bay[uú]d(?:a|e)(?:me)? con\b",
)
