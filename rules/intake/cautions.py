"""What makes a plain-looking ask not plain, wherever it stands: gaps, corrections, other people, amounts, errands.

Searched over the whole folded text with drugs blotted out as "_" and nothing else: a courtesy around it excuses none of
these. Each leaves a doubt; none says what is meant. Gathered from messages that were once read too boldly.
"""

from __future__ import annotations

from rules.intake.reading import DoubtCode
from rules.intake.sieve import Table, any_of

_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|lunes|martes|miercoles|jueves|viernes|sabado|domingo"
_MONTH = (
    r"jan\w*|feb\w*|march|april|may|june|july|aug\w*|sept\w*|oct\w*|nov\w*|dec\w*|enero|febrero"
    r"|marzo|abril|mayo|junio|julio"
)
_SPAN = r"(?:week|month|year|day|semana|mes|meses|ano|dia)s?"

CAUTIONS: Table[tuple[DoubtCode, str]] = Table(
    rows=(
        ((code, sentence), pattern)
        for code, pattern, sentence in (
            # Time without the drug.
            (
                DoubtCode.past_tense,
                rf"\b(?:ran|run|been|was|went|out)\b.{{0,25}}\b(?:last (?:week|month|year|{_DAY})|ago|for (?:a "
                rf"|the |\d|two|three|many|several|over)(?!patient)|since(?! (?:19|20)\d\d| dr| the)|a while"
                rf"|(?:\d|two|three|several|many|few) (?:weeks?|months?|days)\b(?! (?:left|worth|of)))"
                rf"|\bbeen (?:out )?(?:a )?(?:while|month|week|long|few|couple|days|weeks|months|\d+)\b"
                rf"|\bhace (?:\d|un|una|dos|tres|mucho|rato|dias|semanas|meses)"
                rf"|\b(?:for|in) (?:a|two|three|\d+|many|several) (?:weeks|months)\b|\ba while (?:ago|back)\b"
                rf"|\blast (?:{_DAY}|week|month|year)\b(?! of)"
                r"|\b(?:desde|since) (?:hace|el|la|last|then)\b"
                rf"|\bout\b.{{0,20}}\b(?:for weeks|for months|a (?:week|month)|in (?:{_MONTH}))\b",
                "A time without the drug may be told.",
            ),
            # Amounts that are asked for.
            (
                DoubtCode.quantity_differs,
                rf"\b(?:a|one|two|three|six|1|2|3|6|un|una|dos|tres) {_SPAN}(?:'s?)? (?:of\b|de\b|more\b"
                rf"|mas\b)(?! (?:my|it|them|left|mi|cada|each))"
                rf"|\b(?:send|need|refill|want|get|give|mande|necesito|for)\b.{{0,20}}\b(?:a|one|two|three|\d"
                rf"|un|una) ?{_SPAN}'?s? (?:worth|supply)\b(?! left| remaining)"
                rf"|\b(?:for|por|para) (?:the |a |one |two |un |una |el |la )?(?:year|summer|winter|season"
                rf"|spring|fall|ano|month more|week more|day more)\b"
                r"|\b(?:ten|fifteen|twenty|thirty|sixty|ninety|hundred|dozen|couple|few|extra|otro|otra) _"
                r"|\b\d{1,3} _(?! ?\d)"
                r"|\b(?:two|three|\d) (?:of (?:them|those) each|please of each)\b|\b(?:year|months?)(?:'s"
                r"|s)? (?:worth|supply)\b(?! left)"
                rf"|\bfor (?:a|one|two|three|\d+)(?: more)? (?:weeks?|months?|days?)\b|\bthrough (?:{_DAY}"
                rf"|the)\b|\bmore\b.{{0,20}}\b(?:this|each|every) time\b|\bas (?:much|many) as\b|\bfor \w+ more\b"
                rf"|\b(?:\d|two|three|several) bottles of _"
                r"|\b(?:\d{1,3}|two|three|four|five|six|seven|eight|nine|ten|twelve|dos|tres|cuatro|cinco|seis|diez)"
                r" (?:pieces?|pcs|boxes|packs?|packets?|cajas|paquetes|frascos|tubos)\b(?! (?:left|remaining))"
                r"|\b(?:at )?one time\b|\b(?:send|sending|give|giving|share|sharing|mando|mandar|doy|comparto)"
                r" (?:some|them|it|one|unas?|algunas?)? ?(?:to|with|con|a) (?:my|our|mi|mis)\b(?! (?:pharmacy|usual"
                r"|regular|local|cvs|walgreens|walmart|doctor|dr|nurse|office|provider|farmacia|doctora?))",
                "An amount or a length of supply is asked for.",
            ),
            (
                DoubtCode.lost_or_early,
                r"\b(?:1[5-9]|[2-9]\d|\d{3}|twenty|thirty|forty|fifty|sixty|ninety) (?:more )?(?:pills?"
                r"|tablets?|tabs|capsules?|caps|days|pastillas)? ?(?:left|remaining)"
                r"|\b(?:i have|i've got|have|got|with) (?:about )?(?:1[5-9]|[2-9]\d|\d{3}) (?:pills?|tablets?"
                r"|tabs|capsules?|days)\b"
                r"|\b(?:[3-9]|\d\d|three|four|five|six|eight|few|several) weeks (?:left|remaining|worth)"
                r"|\bmonths? (?:left|remaining)\b"
                r"|\b(?:\d|one|two|three|several|few) (?:more )?(?:bottles?|boxes|packs|refills?"
                r"|months) (?:left|remaining)\b"
                r"|\b(?:last|get|hold|carry|tide|do) me\b.{0,20}\b(?:next|end of the|the|a|through"
                r"|all) (?:month|year)\b|\benough for (?:the|this|a|another|next) month\b"
                r"|\b(?:have|got|still have) (?:some|enough|plenty)\b|\b(?:going|went|go|goes|burn\w*|fly\w*"
                r"|flew) through (?:it|them|these|this|my (?!cabinet|list|bottles))|\bused (?:it |them "
                r"|the last one )?(?:up )?(?:in|within) a\b"
                r"|\bmore and more\b|\b(?:faster|quickly|so fast|too fast)\b"
                r"|\b(?:going|went|go|goes) through (?:one|two|a|an|the|\d)|\bused up the\b"
                r"|\bacab\w+ en un[ao]?\b|\bhave mine\b|\b(?:will|'ll) (?:last|get me)\b",
                "There may be enough left, or it is used faster than it should.",
            ),
            (
                DoubtCode.lost_or_early,
                rf"\b(?:going|headed|heading|travel\w*|leaving|flying|moving|off) (?:to the|on|out of|away"
                rf"|abroad|home|up to|down to|to (?!be|run|have|need|get|ask|send|try|finish|call|want|pick))\b"
                rf"|\bhere (?:through|until|till)\b"
                rf"|\bout (?:{_DAY})? ?(?:till|until|through|thru)\b|\b(?:abroad|overseas|mexico|canada|cruise"
                rf"|snowbird\w*)\b|\b(?:we|i) are (?:in|here in|down in)\b"
                r"|\b(?:get|gets|got|getting|let) (?:me )?out\b(?! of (?:my|the)? ?(?:_|refill|pill|med))",
                "May be about travel or a change of place.",
            ),
            # Corrections and things taken back in the same breath.
            (
                DoubtCode.cancelled,
                r"(?:^|\n)\s*(?:actually,? |ok,? |oh,? )*(?:no worries|don'?t worry(?: about it| about that)?"
                r"|got it|all set|it'?s here|they have it|no se preocupen?|ya no|olvidelo)[.! ]*(?:thanks"
                r"|thank you|gracias)?[.! ]*(?=$|\n)"
                r"|\bdon'?t worry about (?:it|that|them)\b|\bactually,? (?:never|no|don'?t|it'?s|i"
                r" (?:have|found|got))\b",
                "May take the request back.",
            ),
            (
                DoubtCode.stop_or_not_needed,
                r"\bno more (?:of (?:it|them|those|that)|_|please|refills? (?:please|this time|needed|for))"
                r"|\b(?:with|and|but|,) no (?:more )?refills\b(?! (?:left|remaining|on))"
                r"|\bno refills (?:this time|please|needed)|\b(?:through|done|finished) with\b|\bi(?:'?m"
                r"| am) (?:through|done)\b|\bfinished (?:the|my|all|it|them)\b"
                r"|\b(?:cut|hates?|dropped|refus\w*|reject\w*|cancel\w*|took me off|pulled) _|\b_ (?:is|are"
                r"|was|were) (?:finished|done|over|through)\b"
                r"|(?<!have )(?<!has )(?<!are )(?<!is )(?<!says )(?<!shows )(?<!say )(?<!got )(?<!s )(?<!said"
                r" )(?<!dice )(?<!that )(?<!me )(?<!reads )(?<!for )no more refills?\b(?! (?:left|remaining|on"
                r"|available|at|for (?:it|this)))",
                "May say that the drug is finished or refused.",
            ),
            # Another drug, another strength, another product.
            (
                DoubtCode.dose_change,
                r"\b(?:in (?:place|lieu) of|rather than|instead|swap\w*|exchange\w*)\b|\bthe next (?:one|dose"
                r"|strength|step|level|size)\b|\bi(?:'?m| am) (?:on|at|down to|up to) (?:the )?\d"
                r"|\bon the \d+ now\b"
                r"|\bdown to \d+ ?(?:mg|mcg|units)|\b(?:brand|name brand|brand name|generic)\b|\b(?:otra vez"
                r"|again) (?:con|on) _|\bback on\b|\b(?:ya )?estoy con\b"
                r"|\b(?:put|get|start|keep|have) me (?:back )?on\b",
                "May be about another strength, product or a new start.",
            ),
            (
                DoubtCode.all_medications,
                r"\b(?:etc|et cetera|so on|so forth)\b|\band (?:other )?(?:stuff|things)\b|\b(?:and|y|plus"
                r"|&) (?:the|my|la|el|that) (?:\w+ ){0,2}(?:ones?|others?|rest|otra|otro|demas)\b"
                r"|\bwhatever (?:it'?s|its|it is) called\b|\bthe one (?:from|that|you)\b"
                r"|\by (?:todo )?lo demas\b|\b(?:la|el) otr[ao]\b"
                r"|\by (?:lo|la|las|el|los) (?:de|del|mism\w+)\b|\by para (?:el|la|dormir|mi)\b",
                "Something else is asked for that is not named.",
            ),
            # Other people.
            (
                DoubtCode.for_someone_else,
                r"\b(?:for|para|need|refill) (?:us|our|ours|both of us|nosotros|ambos)\b|\bour _"
                r"|\bwe need our\b|\bfor (?:the |my )?(?:mrs|mr|ms|missus|lady|girls|boys|friend|neighbor|boss"
                r"|client|resident)\b"
                r"|\b(?:for|para|de) (?:mr|mrs|ms|sr|sra|don|dona|senor|senora)\.? [a-z]+"
                r"|\bpatient:? [a-z]+(?: [a-z]+)? (?:needs|is out|would)|\b(?:your|the) patient\b"
                r"|\bpatient needs\b|\bfrom: ?[a-z]+"
                r"|\bthis is (?:the )?(?:cvs|walgreens|walmart|rite aid|[a-z]+ pharmacy|the pharmacy)\b"
                r"|\bfrom (?:\w+ ){1,2}(?:home|house|care|center|facility|living|manor|village)\b"
                r"|\b(?:home health|nursing home|assisted living|group home|hospice)\b"
                r"|\bhere and [a-z]+ (?:[a-z]+ )?here\b|\ba friend\b|\bmy friend\b"
                r"|\bmi (?:senora|senor|nina|nino|dona|viej[oa])(?: \w+){0,3} (?:necesita|es|usa|toma"
                r"|quiere)\b|\bpara (?:la|mi|el) (?:nina|nino|senora)\b|\bde parte de\b|\bsomos (?:dos|tres)\b"
                r"|\bpara mi y\b"
                r"|\b(?:mr|mrs|ms|miss|dona|don|sra|sr)\.? [a-z]+ (?:needs?|necesita|wants|is out|would like"
                r"|takes)\b|(?:^|[\n.,;] ?)(?!refills?\b|needs?\b|rx\b|meds?\b|request\b|list\b|medications?\b"
                r"|drugs?\b|name\b|for\b|medicines?\b|subject\b|re\b|please\b|following\b|medicinas?\b|recetas?\b"
                r"|renew\w*\b|favor\b|out\b|these\b|one\b|items?\b|prescriptions?\b|requesting\b"
                r"|refill\w*\b)[a-z]{2,12}: ?_",
                "The words may be about or from another person.",
            ),
            # Errands and questions a person must see to.
            (
                DoubtCode.not_a_refill,
                r"\blook (?:at|into|over)\b|\bprint\w*\b|\bmail (?:it|me|my|the|this)\b|\be-?mail\w*\b"
                r"|\b(?:send|need|email|a new) (?:me )?(?:the|a|my)? ?label\b|\bpaper (?:script|prescription"
                r"|copy)\b|\bcopy of\b"
                r"|\b(?:call|phone|ring|text|reach) (?:them|him|her|me|us|cvs|walgreens|walmart|the pharmacy"
                r"|my pharmacy)\b(?! (?:in|it)\b)|\b(?:to|need|have|ask) (?:\w+ )?(?:to )?call (?:them|me|us)\b"
                r"|\b(?:new|another|different|other) (?:doctor|dr|provider|nurse)\b|\b(?:dr"
                r"|doctor) [a-z]+ (?:is|has|was) (?:retired|out|gone|away|leaving|left|not)\b"
                r"|\b(?:need|want|like|have) to (?:know|ask about|discuss|understand|find out)\b"
                r"|\bneed to know\b|\bcan (?:i|we) (?:come|stop|drop|swing|see|talk|speak|bring|be seen)\b"
                r"|\blet me know if i can\b"
                r"|\bno (?:hay|tienen|tiene)\b(?! (?:mas |ningun|refil|resurtid|autoriz|repetic|recarg))"
                r"|\bput (?:it |this |my )?on (?:hold|auto)|\bauto ?-?refill\b"
                r"|\b_ (?:label|info\w*|list|records?|instructions|leaflet|letter|note)\b|\bto my (?:school"
                r"|work|job|employer|house|home)\b|\b(?:which|when (?:can|will|is|do|does)|when\?|when please"
                r"|when$)|\bdo (?:you|i|we) (?:need|want|have|think|know|want me)\b"
                r"|\bcan i (?!(?:please |also |just |still |maybe |possibly )*(?:get|have|request|order|refill"
                r"|renew|ask|do|be|use))|\b_ with (?:my |the )?_|\b_ con (?:la |el |mi )?_",
                "Asks for something beside the refill.",
            ),
            (
                DoubtCode.refill_status,
                r"\blast time (?:asking|i ask)|\b(?:you|she|he|they|nurse|doctor|dr|office|somebody|someone"
                r"|lady|girl)(?: \w+)? (?:said|promised|told me) (?:you|she|he|they|it|we|i)(?:'d|'ll| would| will"
                r"| could| were| was)"
                r"|\blike (?:you|she|he|they|the \w+) (?:said|promised|told)|\balready (?:asked|sent|called"
                r"|requested|contacted|faxed|messaged|told)|\bcheck(?:ing)? (?:on|in on|up on|about)\b"
                r"|\b(?:second|third|2nd|3rd|fourth|last) (?:time|request|try|attempt|message|reminder)\b"
                r"|\breminder\b|\bas (?:promised|discussed|agreed)\b"
                r"|\bcheck(?:ing)? (?:_|if you|my|the|whether|for my|for the)|\bcalling about\b|\b(?:order"
                r"|request)s? (?:with you|from|on (?:mon|tues|wed|thu|fri)|in (?:with|there|already))|\b(?:that"
                r"|which) i (?:requested|asked|ordered|sent)|\byou(?: all| guys)? said\b|\btold (?:by|it|they"
                r"|this)\b|\byou have my _",
                "May be about an earlier request.",
            ),
            (
                DoubtCode.conditional,
                r"\b_ (?:is|are) (?:fine|good|ok|okay|great|on (?:its|the) way|at the pharmacy|ready|here"
                r"|wonderful|perfect|working)\b|\b(?:fine|good|ok) (?:on|with) _"
                r"|\b_ esta(?:n)? (?:bien|list[ao]|aqui)\b",
                "May say that a drug is not needed now.",
            ),
            (
                DoubtCode.pregnancy,
                rf"\bi(?:'?m| am) due (?:in|on)\b(?! (?:the|a few|\d)? ?(?:days|refill))|\bdue (?:in"
                rf"|this) (?:{_MONTH})\b|\bdue date\b",
                "May speak of a birth.",
            ),
            (
                DoubtCode.symptom,
                r"\b(?:nitro\w*|nitroglycerin\w*|glucagon|epi ?pens?|narcan|naloxone"
                r"|baqsimi)\b.{0,40}\b(?:used|took|going through|went through|gave)\b|\b(?:used|took"
                r"|going through)\b.{0,25}\b(?:nitro\w*|glucagon|epi ?pen)"
                r"|\b(?:seeing|hearing) (?:things|voices)\b|\bget help\b|\bhelp me get\b"
                r"|\b(now|ahora|asap|please)(?:[ ,!]+\1){2}",
                "May tell of an event.",
            ),
        )
    )
)
# A move of the pharmacy that does not say "change".
MOVED = any_of(
    r"\bnow (?:at|in|use|using|going)\b|\bahora (?:a|al|en|mand\w*|env\w*|uso)\b|\b(?:use|using|at"
    r"|in|with) (?:the )?\w+ now\b|\bfrom now on\b"
)
# Drugs whose use is itself an event a nurse must hear of.
RESCUE = frozenset({"nitroglycerin", "glucagon", "epinephrine", "naloxone"})
USED = any_of(r"\b(?:used?|using|took|taken|take|going through|went through|gave|more|usando|use|tome|puse)\b")
# With two drugs or more, what is said of one of them apart may take it out of the ask.
APART = any_of(
    rf"\b(?:has|have|got|just got|tengo|tiene) (?:my |the |mi |la |el )?_|_[,.]? ?(?:'s|is"
    rf"|are)\b(?! (?:running|almost|nearly|low|out|about|down|due|my|getting|at (?:0|zero)|on (?:its"
    rf"|my) last|needed|the|for|to|what|also|both|all|a |right|just))"
    rf"|_[,.]? ?(?:next|later|on (?:{_DAY})|tomorrow|now|today|another time)\b|\b(?:only|just) _.{{0,20}}_"
)
CORRECTED = any_of(
    r"\b(?:i meant?|meant to say|meant|correction|quise decir|digo|i mean|make that|or rather)\b"
    r"|(?:sorry|perdon|oops|actually|wait|no),? (?:the |my |la |el )?_|\* ?_|_ ?\*"
)
