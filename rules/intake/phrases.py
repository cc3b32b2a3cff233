"""The phrases that show what a message is about, in English and Spanish, over folded text.

Where a phrase may mean two things it shows both: ambiguity is for a person to settle.
"""

from __future__ import annotations

from rules.intake import danger
from rules.intake.reading import DoubtCode, Intent
from rules.intake.sieve import Sieve, any_of

TOPICS: tuple[tuple[Intent, int, Sieve], ...] = (
    (Intent.emergency, 100, danger.EMERGENCY),
    (Intent.symptom, 100, danger.SYMPTOM),
    (
        Intent.pregnancy,
        100,
        any_of(
            r"\bpregnan\w*",
            r"\bexpecting (?:a )?(?:baby|child)\b",
            r"\bbreast-?\s?feed\w*",
            r"\bnursing (?:my|a|mom|mother|baby)\b",
            r"\b(?:trying to )?(?:conceive|get pregnant|have a baby)\b",
            r"\b(?:i am|i'm|im|estoy de|tengo) (?:\d{1,2}|five|six|seven|eight|nine|ten|eleven|twelve|twenty|cinco"
            r"|seis|siete|ocho|nueve|diez|doce)"
            r" (?:weeks|months|semanas|meses)\b(?! (?:left|late|out|away|worth|of|de|sin|con))",
            r"\bmissed (?:my )?period\b",
            r"\bpositive (?:pregnancy )?test\b",
            r"\btrimester\b",
            r"\bpostpartum\b",
            r"\bmiscarr\w*",
            r"\bembaraz\w*",
            r"\bencinta\b",
            r"\blactan\w*",
            r"\bamamant\w*",
            r"\bpecho a mi\b",
        ),
    ),
    (
        Intent.cancel,
        100,
        any_of(
            r"\bnever ?mind\b",
            r"\bnvm\b",
            r"\bforget (?:it|about it|that|what i)\b",
            r"\bdisregard\b",
            r"\bscratch that\b",
            r"\bignore (?:my|that|the|this) (?:\w+ )?(?:message|text|request|last)\b",
            r"\bcancel (?:that|it|this|my request|the request|my refill|the refill|my last|please|request)\b",
            r"\bplease cancel\b",
            r"\bolvid[ea]\w*\b",
            r"\bno importa\b",
            r"\bcancel[ea]\w*\b",
        ),
    ),
    (
        Intent.stop_or_not_needed,
        100,
        any_of(
            r"\bstop(?:ped|ping|s)?\b",
            r"\bquit\w*\b",
            r"\bdiscontinu\w*",
            r"\bno longer\b",
            r"\b(?:do not|don'?t|dont|didn'?t|doesn'?t|not)\b.{0,12}\b(?:need\w*|want\w*|refill\w*|renew\w*"
            r"|send\w*|fill\w*|take|taking|require\w*|order\w*)\b",
            r"\b(?:come|get|getting|coming|wean\w*|taper\w*|took me|taken) off\b",
            r"\bwean\w*",
            r"\balready (?:have|had|pick\w*|got|gotten|receiv\w*|fill\w*|refill\w*)\b",
            r"\bpicked (?:it|them|that|this)? ?up\b",
            r"\benough (?:left|pills|for)\b",
            r"\bplenty\b",
            r"\bya no\b",
            r"\bya (?:la |lo |las |los |me la |me lo |me las )?(?:tengo|recogi|recibi|dieron|llego|llegaron|compre"
            r"|consegui|surtieron|mandaron)\b"
            r"(?! (?:pocas?|pocos?|poquit\w+|solo|nomas|solamente|como|que|pa\b|para|\d|una|dos|tres))",
            r"\bdej(?:ar|e|o|ado|arlo)\b.{0,4}\bde\b",
            r"\bno (?:la |lo |los |las )?(?:necesito|quiero|tomo|ocupo|envie\w*|mande\w*)\b",
            r"\bsuspend\w*",
            r"\bparar\b",
        ),
    ),
    (
        Intent.dose_change,
        100,
        any_of(
            r"\b(?:increas|decreas|lower|rais|reduc|doubl|adjust|titrat|higher|stronger|weaker)\w*",
            r"\bup(?:ped|ping)? (?:my|the) dos\w*",
            r"\b(?:chang|switch)\w*\b(?!.{0,30}pharmac).{0,25}\b(?:dos\w*|strength|mg|medic\w*|meds?)\b",
            r"\b(?:chang|switch)\w* (?:me|it|this|that|my) (?:from|to|back)\b",
            r"\b(?:dose|dosage|strength)\b.{0,12}\b(?:chang\w*|higher|lower|different)\b",
            r"\b(?:half|extra|two|2|twice as|more than)\b.{0,12}\b(?:pill|tablet|dose|instead|prescribed)\w*",
            r"\binstead of\b",
            r"_ (?:to|por|into) (?:la |el |the |some )?_",
            r"\bcut (?:back|down|in half)\b",
            r"\btak(?:e|ing) (?:two|three|2|3|extra|more|half)\b",
            r"\b(?:subir|bajar|aument\w*|reduc\w*|cambi\w*|doble|mitad)\b.{0,20}\b(?:dosis|mg|medic\w*|pastilla\w*)\b",
        ),
    ),
    (
        Intent.new_drug,
        90,
        any_of(
            r"\bstart(?:ed|ing)?\b",
            r"\bnew (?:med\w*|drug|pill)\b",
            r"\btry(?:ing)?\b",
            r"\bprescribe (?:me|something|a|an)\b",
            r"\b(?:something|anything) (?:for|to|else|stronger)\b",
            r"\brecommend\w*",
            r"\bcan i take\b",
            r"\bis it (?:safe|ok|okay) to\b",
            r"\balternativ\w*",
            r"\bsamples?\b",
            r"\binteract\w*",
            r"\bempezar\b",
            r"\balgo para\b",
            r"\bmedicina nueva\b",
            r"\bprobar\b",
            r"\breplace\w*",
            r"\bsubstitut\w*",
        ),
    ),
    (
        Intent.lost_or_early,
        100,
        any_of(
            r"\blost\b",
            r"\blose\b",
            r"\bmisplac\w*",
            r"\bst[eo]l\w*en?\b",
            r"\bspill\w*",
            r"\bdropped\b",
            r"\bflush\w*",
            r"\bearly\b",
            r"\bvacation\w*",
            r"\btrip\b",
            r"\btravel\w*",
            r"\bout of (?:town|state|the country)\b",
            r"\b(?:going|go) away\b",
            r"\bleaving\b",
            r"\bleft (?:it|them|my \w+|mine) (?:at|in|on|behind)\b",
            r"\bthrew (?:it|them|my|out|away)\b",
            r"\bdog ate\b",
            r"\bcan'?t find\b",
            r"\bahead of\b",
            r"\bperdi\w*",
            r"\brobar\w*",
            r"\brobad\w*",
            r"\bviaj\w*",
            r"\bvacacion\w*",
            r"\badelant\w*",
            r"\bantes de tiempo\b",
            r"\bflight\b",
            r"\bcruise\b",
        ),
    ),
    (
        Intent.lab,
        95,
        any_of(
            r"\blabs?\b",
            r"\bblood ?(?:work|test|draw)\w*",
            r"\b(?:test )?results?\b",
            r"\ba1c\b",
            r"\burine\b",
            r"\bx-?\s?rays?\b",
            r"\bmri\b",
            r"\bct scan\b",
            r"\bbiops\w*",
            r"\bmammogram\w*",
            r"\bultrasound\b",
            r"\banalisis\b",
            r"\bresultados?\b",
            r"\blaboratorio\w*",
            r"\bexamen(?:es)?\b",
            r"\btests?\b",
        ),
    ),
    (
        Intent.appointment,
        95,
        any_of(
            r"\bappointments?\b",
            r"\bappts?\b",
            r"\b(?:re)?schedul\w*",
            r"\bcome in\b",
            r"\b(?:office|next|my|a|video|tele\w*) visit\b",
            r"\bvisits?\b",
            r"\bsee (?:the |my |a |you|dr|doctor)\b",
            r"\bbe seen\b",
            r"\bphysical\b",
            r"\bcitas?\b",
            r"\btelehealth\b",
            r"\bcheck-?\s?up\b",
        ),
    ),
    (
        Intent.billing,
        95,
        any_of(
            r"\bbill(?:s|ed|ing)?\b",
            r"\bcharg\w*",
            r"\bco-?\s?pay\w*",
            r"\binsur\w*",
            r"\bcosts?\b",
            r"\bprices?\b",
            r"\bafford\w*",
            r"\bexpensive\b",
            r"\bpay(?:ment|ing)?\b",
            r"\bprior auth\w*",
            r"\b(?:a|the|needs?|requires?|another|new) pa\b",
            r"\bcover(?:ed|age|s)\b",
            r"\bcoupons?\b",
            r"\bgood ?rx\b",
            r"\bdeductible\b",
            r"\bfactura\w*",
            r"\bseguro\b",
            r"\bcobr\w+",
            r"\bcosto\w*",
            r"\bmedicare\b",
            r"\bmedicaid\b",
        ),
    ),
    (
        Intent.refill_status,
        90,
        any_of(
            r"(?<!this )(?<!name )(?<!please )(?<!i )(?<!to )(?<!like )(?<!you )(?<!just )\b(?:did|have|has|was|were"
            r"|is|are|hasn'?t|haven'?t|wasn'?t"
            r"|didn'?t|isn'?t)\b (?:you|my|the|it|they"
            r"|that|dr|this|anyone|someone|he|she|\w+'s)?\b.{0,40}\b(?:sent|receiv\w*|got|ready|filled|approved"
            r"|called in|done|processed|refilled|gone through|go through|been|responded|faxed|ordered)\b",
            r"\bdid you (?:send|get|call|refill|fill|fax|receive)\b",
            r"\bstatus\b",
            r"\bcheck(?:ing)? (?:on|up on|in on|in about)\b|\bany ?one (?:get|see|got) (?:to )?my\b",
            r"(?:^|[.!?,;\n] ?)(?:y|and|what about|how about|que paso con|que onda con) (?:mi|mis|la|el|my"
            r"|the)\b[^.!\n]{0,50}\?",
            r"\bmande (?:un |el )?mensaje\b",
            r"\bstill (?:waiting|haven'?t|no|not|need\w*)\b",
            r"\bfollow(?:ing)?[- ]?up\b",
            r"\b(?:haven'?t|have not|never|didn'?t) (?:heard|hear|receiv\w*|got|get|come|go)\b",
            r"\bany (?:update|news|word)\b",
            r"\bupdates?\b",
            r"\bwhen (?:will|can|is|should|are)\b.{0,25}\b(?:ready|sent|available|filled|done|it|refill\w*)\b",
            r"\bwhat happened\b",
            r"\bque paso\b|\bque onda\b|\b(?:are|they'?re|is|been|they) waiting\b|\besperando\b",
            r"\b(?:asked|requested|sent|called|messaged)\b.{0,40}\b(?:yesterday|ago|last week|already|monday"
            r"|tuesday|wednesday|thursday|friday)\b",
            r"\bwhere is\b",
            r"\bsecond (?:time|request)\b",
            r"\b(?:ya|todavia|aun)\b.{0,20}\b(?:mand\w+|envi\w+|list[ao]|surti\w+|recib\w+|espera\w*)\b",
            r"\bestado de\b",
        ),
    ),
    (
        Intent.pharmacy_change,
        95,
        any_of(
            r"\b(?:chang|switch|transfer|mov|updat)\w*\b.{0,40}\bpharmac\w*",
            r"\b(?:new|different|another|other) pharmac\w*",
            r"\bpharmac\w*\b.{0,12}\b(?:chang\w*|switch\w*|clos\w*|out of stock|does(?: not|n'?t) have"
            r"|doesn'?t carry)\b",
            r"\b(?:chang|switch|transfer|mov)\w*\b.{0,40}\b(?:cvs|walgreens|walmart|rite ?aid|costco|kroger"
            r"|publix|target|safeway|express scripts|optum ?rx|amazon|h-?e-?b)\b",
            r"\bfrom now on\b",
            r"\bcambi\w+\b.{0,25}\bfarmacia\b",
            r"\b(?:nueva|otra|diferente) farmacia\b",
            r"\bfarmacia nueva\b",
            r"\bout of stock\b",
            r"\bback-?\s?order\w*",
        ),
    ),
    (
        Intent.other,
        90,
        any_of(
            r"\bcall (?:me|back|us)\b|\b(?:give|get) me a call\b|\bcall (?:please|asap)\b",
            r"\b(?:speak|talk) (?:to|with)\b",
            r"\b(?:necesito|quiero|ocupo) (?:un |una |al |a la |el |la |ver al |ver a la |que me vea )*(?:doctora?"
            r"|enfermer\w+|medic[oa]|dra?)\b",
            r"\b(?:need|want) (?:a |the |my )?(?:doctor|nurse|dr|provider)\b",
            r"\bneed (?:a|the|my|to see) (?:doctor|dr|nurse|help)\b|\bllam[ea]\w*\b|\bhablar\b",
            r"(?:^|[.!?,;\n] ?)(?:do|does|did|is|are|am|was|were|should|es|son|debo)"
            r" (?:i|it|this|that|these|they|my|we|_+)\b",
            r"(?<!can )(?<!could )(?<!may )\b(?:i|we) (?:still |already )?(?:have|got|get) (?:my |the |some |more )?_",
            r"\btengo (?:mi |mis |la |el |las )?_",
            r"\bdo (?:i|we)\b|\bam i\b|\bwill (?:i|it|this|that)\b|\bcan (?:it|this|that)\b",
            r"\b(?:letter|note for|forms?|referral\w*|refer me|records|vaccin\w*|shots?|paperwork|fmla"
            r"|disabilit\w*|jury|portal|password|address|moved|complain\w*|question\w*|why|how (?:do|much|many"
            r"|long|often|should)|what (?:is|are|do|should|time)|should i|pregunta\w*|por que|carta|vacuna\w*)\b",
        ),
    ),
)

REFILL_STRONG = any_of(
    r"\bre-?\s?fil+\w*",
    r"\brenew\w*",
    r"\bre-?order\w*",
    r"\bresurt\w*",
    r"\bsurt\w+",
    r"\brecarg\w*",
    r"\brenov\w+",
    r"\brenuev\w+",
    r"\brellen\w+",
    r"\breposicion\b",
    r"\b(?:prescriptions?|rx|scripts?|recetas?)\b",
)
REFILL_WEAK = any_of(
    r"\bneed\w*\b",
    r"\b(?:can|could|may) (?:i|you|we)\b.{0,20}\b(?:get|have|send|order|call|fill|give)\b",
    r"\b(?:send|call|put) (?:in|out|me|over|my|a|an|it|the|to|through)\b",
    r"\b(?:running|run|ran|almost|nearly|getting|am|i'm|im|completely|all|be|i'll be) (?:\w+ )?(?:out|low)\b",
    r"\bout of (?:my )?\b",
    r"\blow on\b",
    r"\b(?:would|i'd) like\b",
    r"\border\b",
    r"\bmore (?:of )?my\b",
    r"\bplease (?:send|fill|order|call)\b",
    r"\bfill\b",
    r"\brf\b",
    r"\brequest\w*\b",
    r"\b(?:le |te |les )?encargo\b|\bme urge\b|\b(?:para )?pedir\b|\bautoric\w+|\bautorizar\b|\b(?:me )?(?:pide|pides"
    r"|surta\w*)\b",
    r"\b(?:days?|pills?|tablets?) left\b",
    r"\blast (?:pill|tablet|one|dose)\b",
    r"\bnecesit\w+",
    r"\bquier[oa]\b|\bquisiera\b",
    r"\b(?:puede|pueden|podria|podrian)\b.{0,20}\b(?:enviar|mandar|dar|ordenar)\w*",
    r"\b(?:envie|mande|manden|envien)\w*\b",
    r"\bse me (?:esta|estan|acab\w+|termin\w+)\b",
    r"\b(?:acabando|terminando|agotando|acabaron|acabo)\b",
    r"\bsolicit\w+",
)
THANKS = any_of(
    r"\bthank\w*",
    r"\bthx\b",
    r"\bty\b",
    r"\bappreciat\w*",
    r"\bgracias\b",
    r"\bagradez\w*",
    r"\bgot it\b",
    r"\bgreat\b",
    r"\bperfect\b",
)

ALL_MEDICATIONS = any_of(
    r"\ball (?:of )?(?:my |the |these |those |our )?(?:\w+ )?(?:med\w*|prescriptions?|rxs?|rx's|refills?|pills"
    r"|scripts|them|of them|inhalers)\b",
    r"\beverything\b",
    r"\b(?:rest|remainder) of (?:my|the)\b",
    r"\b(?:usual|regular|monthly|other|normal|daily(?! refill)) (?:med\w*|prescriptions?|pills|refills?|rxs?|ones)\b",
    r"\btod[ao]s (?:mis|las|los)\b",
    r"\beach of my\b",
    r"\bsame (?:ones|meds|medications|prescriptions)\b",
)
SOMEONE_ELSE = any_of(
    r"\bmy (?:\w+ )?(?:husband|wife|mom|mother|mum|dad|father|son|daughter|child|children|kid|kids|baby|brother"
    r"|sister|grand\w+|partner|boyfriend|girlfriend|friend|uncle|aunt|parents?|spouse|roommate|neighbor|dog|cat"
    r"|pet|boy|girl|fiancee?|cousin|nephew|niece|stepson|stepdaughter)(?:'?s)?\b",
    r"\bfor (?:him|her|them|my (?:mom|dad))\b",
    r"\bon behalf\b",
    r"\bcaregiver\b",
    r"\bpower of attorney\b",
    r"\b(?:his|her|he|she|hers)\b",
    r"\b(?:caring|writing|calling|asking) for\b",
    r"\bmi (?:esposo|esposa|mama|papa|hijo|hija|madre|padre|abuel\w+|marido|mujer|novi\w+|herman\w+|bebe|perro"
    r"|gato|nin[oa]|suegr\w+|ti[oa])\b",
    r"\bpara ella\b",
    r"\bpara el\b(?! (?:azucar|corazon|colesterol|dolor|reflujo|agua|refill|relleno|resurtid\w+|medicamento|mes|lunes"
    r"|martes"
    r"|miercoles|jueves|viernes|sabado|domingo|fin de|dia|proximo|walgreens|cvs|walmart|doctor|dr|tiroides|estomago"
    r"|asma"
    r"|higado|\d|_))",
)
INSTRUCTION = any_of(
    r"\bignor\w* (?:all |any |the |your |these )*(?:previous|prior|above|earlier|other"
    r"|safety)?\s?(?:instruction\w*|rules?|prompts?|guidelines?|checks?|guards?|polic\w+)",
    r"\bsystem\s?(?:prompt|message|:)",
    r"\byou are (?:now|an?|the)\b",
    r"\bas an? (?:ai|assistant|language)\b",
    r"\b(?:ai|bot|chatbot|llm|gpt|computer|algorithm|automat\w+|auto)\b",
    r"\bjailbreak\w*",
    r"\bover-?\s?rid\w*",
    r"\bbypass\w*",
    r"\bauto-?\s?approv\w*",
    r"\bapprov\w* (?:this|it|automatic\w*|immediate\w*|all|now|without)\b",
    r"\badmin\w*\b",
    r"[<>{}\[\]\\|]",
    r"```",
    r"\bmark (?:this|it|as)\b",
    r"\bclassif\w*",
    r"\bintent\b",
    r"\bconfidence\b",
    r"\bjson\b",
    r"\bdrop table\b",
    r"\bselect \*",
    r"\bscript>",
    r"\bpretend\b",
    r"\bdeveloper mode\b",
    r"\bno (?:human|person|review)\b",
    r"\bhttps?:|\bwww\.",
)
NEGATION = any_of(
    r"\b(?:not|no|never|none|nothing|without|nor|neither|cannot|cant|dont|didnt|doesnt|isnt|wasnt|wont|havent"
    r"|hasnt|nunca|jamas|tampoco|ni|sin|nada|\w+n't)\b"
)
CONDITION = any_of(
    r"\b(?:when|once|after|as soon as) (?:i|i'm|it|they|these|this|my)\b(?! (?:get|have|had|can) (?:a|the|some)"
    r" (?:chance|minute))"
    r"|\bcuando (?:se me|me|yo|la|lo|tenga que)\b|\b(?:i'm|im|i am|we'?re|still|all) good\b(?! (?:morning|afternoon"
    r"|day|evening))"
    r"|\b(?:if|unless|or|until|but|however|except|instead|though|although|because|since|pero|si|hasta que|o"
    r"|u (?=h?o)|aunque|excepto|depend\w*|maybe|perhaps|whether|only when|quiza\w*)\b"
)
PAST = any_of(
    r"\b(?:used to|was taking|was on|had been|were taking|previously|years? ago|old prescription|antes tomaba|tomaba)\b"
)

_DAYS = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|(?:lunes|martes|miercoles|jueves|viernes|sabados?|domingos?)"
SCHEDULE = any_of(
    rf"\b(?:{_DAYS})\b(?:,? (?:and|y|&)? ?|,|/)(?:el |los )?(?:{_DAYS})\b|\b(?:every other day|un dia si|dia por"
    rf" medio)\b"
)

DOUBTS: tuple[tuple[DoubtCode, Sieve, str], ...] = (
    (DoubtCode.for_someone_else, SOMEONE_ELSE, "The words may be about another person than the patient."),
    (DoubtCode.instruction_text, INSTRUCTION, "The text holds symbols or words that do not belong in a plain ask."),
    (DoubtCode.directions_in_message, SCHEDULE, "Several days of the week are named, as directions are."),
    (DoubtCode.past_tense, PAST, "The words speak of the past."),
    (DoubtCode.all_medications, ALL_MEDICATIONS, "Asks for several medicines without naming each."),
)
