"""The phrases that show what a message is about, in English and Spanish, as compiled patterns over folded text.

Patterns for danger are wide on purpose: a false alarm costs a look, a miss may cost a life. Patterns for harmless
talk are narrow: whatever they cover is taken as read.
"""
from __future__ import annotations

import re

from rules.intake.reading import DoubtCode, Intent


def _any(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{part})" for part in parts))


EMERGENCY = _any(
    r"\bover-?\s?dos\w*", r"\bod'?e?d\b", r"\bsobredosis\b", r"\btoo many (?:pills?|tablets?|of)\b",
    r"\btook (?:all|the whole|a whole|the entire|a bunch|a lot|a handful|way too|\d{2,})\b", r"\bwhole bottle\b",
    r"\btook (?:my )?(?:husband|wife|mom|dad|son|daughter|kid)'?s\b", r"\baccidentally (?:took|swallow\w*|ate)\b",
    r"\b(?:took|swallowed|ate|got into) (?:some of )?(?:my|his|her|the) (?:pills|meds|medicine)\b",
    r"\b(?:demasiadas|muchas) pastillas\b", r"\b(?:me )?tom[eo] (?:todas|todo|demasiad\w+)\b", r"\bpoison\w*",
    r"\benvenen\w+", r"\bsuicid\w*", r"\bkill (?:myself|me|my self)\b", r"\bkilling (?:myself|me)\b", r"\bend (?:it all|my life|"
    r"it)\b", r"\b(?:want|going|wanna|ready|wish) (?:to|i (?:was|were)|na)? ?(?:die|dead|disappear)\b",
    r"\bbetter off dead\b", r"\bnot (?:want(?:ing)? to|wanna) (?:live|be here|wake up|be alive)\b",
    r"\bdon'?t (?:want to|wanna) (?:live|be here|wake up|be alive|go on|exist)\b", r"\b(?:hurt|harm|cut)(?:ing|ting)? my ?self\b",
    r"\bself[- ]?harm\w*", r"\bno reason to live\b", r"\bmatarme\b", r"\bquitarme la vida\b", r"\bno quiero vivir\b",
    r"\bquiero morir\w*", r"\bhacerme dano\b", r"\blastimarme\b", r"\bhurt (?:someone|somebody|him|her|them|people)\b",
    r"\bchest\b.{0,30}\b(?:pain\w*|hurt\w*|tight\w*|pressure|heav\w+|squeez\w+|crush\w+|burn\w*|ach\w+|discomfort|weird)\b",
    r"\b(?:pain\w*|pressure|tight\w*|heaviness|squeezing|crushing|burning|discomfort)\b.{0,20}\b(?:in|on|across) (?:my |the )?chest\b",
    r"\b(?:dolor|presion|opresion)\b.{0,15}\b(?:de|en|del) (?:el )?pecho\b", r"\bme duele (?:mucho )?el pecho\b",
    r"\bheart attack\b", r"\b(?:ataque|infarto)\b.{0,12}\b(?:corazon|cardiaco)\b", r"\binfarto\b",
    r"\b(?:can'?t|cannot|can not|cant|couldn'?t|hard to|trouble|difficult\w*|unable to|struggl\w+|problems?|hardly|barely)\b.{0,15}\bbreath\w*",
    r"\bshort(?:ness)?\b.{0,6}\bbreath\b", r"\bout of breath\b", r"\bs\.?o\.?b\b", r"\bgasping\b", r"\bbreathless\w*", r"\bchok(?:e|ing)\b",
    r"\b(?:no puedo|dificultad|cuesta|problemas?|no puede)\b.{0,15}\brespir\w+", r"\bfalta (?:de|el) aire\b", r"\bahog\w+",
    r"\bstroke\b", r"\bderrame\b", r"\bface\b.{0,15}\b(?:droop\w*|numb\w*|drooping|swell\w*|swollen|twist\w*)",
    r"\bslurr\w*", r"\b(?:can'?t|cannot|trouble|unable to) (?:speak\w*|talk\w*|swallow\w*|move|see|walk|wake|stay awake)\b",
    r"\b(?:numb\w*|weak\w*|paraly\w+)\b.{0,25}\b(?:one|left|right) (?:side|arm|leg)\b",
    r"\b(?:left|right|one) (?:side|arm|leg)\b.{0,20}\b(?:numb\w*|weak\w*|tingl\w*|paraly\w*|pain\w*|hurt\w*)\b",
    r"\bworst headache\b", r"\bthunderclap\b", r"\bcara\b.{0,10}\b(?:caida|torcida|dormida|hinchad\w+)\b", r"\bsudden\w*\b.{0,20}\b(?:vision|blind\w*|weak\w*|confus\w*|headache)\b",
    r"\b(?:pass(?:ed|ing)?|black(?:ed|ing)?)\b.{0,5}\bout\b", r"\bfaint(?:ed|ing)?\b", r"\bcollaps\w+", r"\bunconscious\b", r"\bunresponsive\b",
    r"\bnot (?:responding|waking|breathing)\b", r"\bdesmay\w+", r"\binconsciente\b", r"\bseizure (?:today|now|last)\b", r"\b(?:had|having|have) a seizure\b", r"\bconvulsion\w*",
    r"\bbleed(?:ing|s)?\b", r"\bblood in\b", r"\b(?:vomit\w*|throw\w* up|threw up|cough\w*|spit\w*|pee\w*|poop\w*) (?:up )?blood\b", r"\bhemorrhag\w*",
    r"\bblack (?:tarry )?stools?\b", r"\bsangr\w+", r"\banaphyla\w*", r"\banafila\w*", r"\bthroat\b.{0,20}\b(?:clos\w+|swell\w*|swollen|tight\w*)",
    r"\b(?:tongue|lips?|face|throat|eyes|airway)\b.{0,20}\b(?:swell\w*|swollen|swelled)", r"\b(?:swell\w*|swollen)\b.{0,20}\b(?:tongue|lips?|face|throat|airway)\b",
    r"\b(?:severe|bad|serious|terrible) (?:allergic )?reaction\b", r"\breaccion (?:alergica|grave|severa)\b", r"\b(?:lengua|labios?|garganta|cara)\b.{0,15}\b(?:hinchad\w+|cerrando|inflamad\w+)\b",
    r"\b(?:se me )?(?:cierra|hincho|hincha)\b.{0,10}\b(?:garganta|lengua|cara)\b", r"\b9-?1-?1\b", r"\bemergenc\w+", r"\bambulanc\w+",
    r"\bhives\b", r"\bcan'?t stop (?:bleeding|vomiting|throwing)\b", r"\bdying\b", r"\bdie\b", r"\bmuriendo\b", r"\bme muero\b", r"\bnarcan\b",
    r"\bsuffocat\w*", r"\bblue lips\b", r"\bcoma\b", r"\bblood sugar (?:is |of |was )?(?:over |under |below |above )?(?:[1-5]\d|[4-9]\d\d)\b",
)

SYMPTOM = _any(
    r"\b(?:hurt\w*|pain|pains|painful|ach(?:e|es|ing|y)|sore\w*|dizz\w*|light-?\s?head\w*|nause\w*|vomit\w*|rash\w*|itch\w*)\b",
    r"\bthrow\w* up\b|\bthrew up\b", r"\b(?:swell\w*|swollen|fever\w*|cough\w*|headaches?|migraines?|fatigue\w*|tired\w*|exhaust\w+|weak\w*)\b",
    r"\b(?:blurr\w*|diarrhea|constipat\w*|bruis\w*|palpitat\w*|cramp\w*|numb\w*|tingl\w*|sweat\w*|wheez\w*|burn(?:s|ing)?)\b",
    r"\b(?:heart|pulse)\b.{0,15}\b(?:rac\w+|pound\w*|flutter\w*|skip\w*|fast|slow)\b", r"\bside[- ]?effects?\b", r"\breact(?:ion|ed|ing)\b",
    r"\ballergic\b", r"\b(?:sick|ill|unwell|worse\w*|worsen\w*|awful|terrible|horrible|miserable|lousy|woozy|foggy|shaky|shak(?:e|es|ing)|jitter\w*|tremor\w*)\b",
    r"\bfeel(?:s|ing)?\b|\bfelt\b", r"\bsymptoms?\b", r"\b(?:anxious|anxiety|depress\w*|panic\w*|insomnia|suffer\w*|crying|sad|hopeless|overwhelm\w*)\b",
    r"\b(?:can'?t|cannot|cant|not|trouble|barely) (?:sleep\w*|eat\w*|stand|walk|pee|think|focus|keep)\b",
    r"\b(?:not|isn'?t|doesn'?t|don'?t|stopped|aren'?t|hasn'?t)\b.{0,12}\b(?:work\w*|help\w*)\b", r"\binfect\w*", r"\bflar\w+", r"\buti\b",
    r"\b(?:bp|blood pressure|pressure|sugars?|glucose|heart rate|pulse)\b.{0,18}(?:\b(?:high|low|up|down|spik\w+|drop\w*|out of control|elevated)\b|\d{2,3})",
    r"\b(?:fell|fall(?:s|ing|en)?|hallucinat\w*|confus\w*|forget\w*|gain\w*|losing weight|lost weight|legs?|ankles?|stomach (?:ache|hurts|pain)|belly|throat|bloat\w*)\b",
    r"\b(?:injur\w+|wound\w*|broke[n]?|sprain\w*|hospital\w*|er visit|urgent care|covid|flu|pneumonia|surgery)\b", r"\bmiss(?:ed|ing)? (?:a |some |several |\w+ )?dos\w*",
    r"\b(?:dolor\w*|duele\w*|mare[oa]\w*|nausea\w*|vomit\w*|fiebre|tos|sarpullido|ronchas|picazon|comezon|hinchaz\w+|hinchad\w+|cansad\w*|debil\w*|diarrea|estrenid\w*|migrana|ardor|calambre\w*|temblor\w*|sintoma\w*|enferm\w*|peor|mal|siento|sentir\w*|sentido|alergic\w*|efectos? secundarios?|ansios\w*|deprimid\w*|triste|palpitacion\w*|moretones)\b",
)

TOPICS: tuple[tuple[Intent, int, re.Pattern[str]], ...] = (
    (Intent.emergency, 100, EMERGENCY),
    (Intent.symptom, 100, SYMPTOM),
    (Intent.pregnancy, 100, _any(
        r"\bpregnan\w*", r"\bexpecting (?:a )?(?:baby|child)\b", r"\bbreast-?\s?feed\w*", r"\bnursing (?:my|a|mom|mother|baby)\b",
        r"\b(?:trying to )?(?:conceive|get pregnant|have a baby)\b", r"\bmissed (?:my )?period\b", r"\bpositive (?:pregnancy )?test\b",
        r"\btrimester\b", r"\bpostpartum\b", r"\bmiscarr\w*", r"\bembaraz\w*", r"\bencinta\b", r"\blactan\w*", r"\bamamant\w*", r"\bpecho a mi\b",
    )),
    (Intent.cancel, 100, _any(
        r"\bnever ?mind\b", r"\bnvm\b", r"\bforget (?:it|about it|that|what i)\b", r"\bdisregard\b", r"\bscratch that\b",
        r"\bignore (?:my|that|the|this) (?:\w+ )?(?:message|text|request|last)\b",
        r"\bcancel (?:that|it|this|my request|the request|my refill|the refill|my last|please|request)\b", r"\bplease cancel\b",
        r"\bolvid[ea]\w*\b", r"\bno importa\b", r"\bcancel[ea]\w*\b",
    )),
    (Intent.stop_or_not_needed, 100, _any(
        r"\bstop(?:ped|ping|s)?\b", r"\bquit\w*\b", r"\bdiscontinu\w*", r"\bno longer\b", r"\b(?:do not|don'?t|dont|didn'?t|doesn'?t|not)\b.{0,12}\b(?:need\w*|want\w*|refill\w*|renew\w*|send\w*|fill\w*|take|taking|require\w*|order\w*)\b",
        r"\b(?:come|get|getting|coming|wean\w*|taper\w*|took me|taken) off\b", r"\bwean\w*", r"\balready (?:have|had|pick\w*|got|gotten|receiv\w*|fill\w*|refill\w*)\b",
        r"\bpicked (?:it|them|that|this)? ?up\b", r"\benough (?:left|pills|for)\b", r"\bplenty\b", r"\bya no\b", r"\bdej(?:ar|e|o|ado|arlo)\b.{0,4}\bde\b", r"\bno (?:la |lo |los |las )?(?:necesito|quiero|tomo|ocupo|envie\w*|mande\w*)\b",
        r"\bsuspend\w*", r"\bparar\b",
    )),
    (Intent.dose_change, 100, _any(
        r"\b(?:increas|decreas|lower|rais|reduc|doubl|adjust|titrat|higher|stronger|weaker)\w*", r"\bup(?:ped|ping)? (?:my|the) dos\w*", r"\b(?:chang|switch)\w*\b(?!.{0,30}pharmac).{0,25}\b(?:dos\w*|strength|mg|medic\w*|meds?)\b", r"\b(?:chang|switch)\w* (?:me|it|this|that|my) (?:from|to|back)\b",
        r"\b(?:dose|dosage|strength)\b.{0,12}\b(?:chang\w*|higher|lower|different)\b", r"\b(?:half|extra|two|2|twice as|more than)\b.{0,12}\b(?:pill|tablet|dose|instead|prescribed)\w*", r"\binstead of\b", r"\bcut (?:back|down|in half)\b", r"\btak(?:e|ing) (?:two|three|2|3|extra|more|half)\b",
        r"\b(?:subir|bajar|aument\w*|reduc\w*|cambi\w*|doble|mitad)\b.{0,20}\b(?:dosis|mg|medic\w*|pastilla\w*)\b",
    )),
    (Intent.new_drug, 90, _any(
        r"\bstart(?:ed|ing)?\b", r"\bnew (?:med\w*|drug|pill)\b", r"\btry(?:ing)?\b", r"\bprescribe (?:me|something|a|an)\b", r"\b(?:something|anything) (?:for|to|else|stronger)\b", r"\brecommend\w*", r"\bcan i take\b", r"\bis it (?:safe|ok|okay) to\b", r"\balternativ\w*", r"\bsamples?\b", r"\binteract\w*",
        r"\bempezar\b", r"\balgo para\b", r"\bmedicina nueva\b", r"\bprobar\b", r"\breplace\w*", r"\bsubstitut\w*",
    )),
    (Intent.lost_or_early, 100, _any(
        r"\blost\b", r"\blose\b", r"\bmisplac\w*", r"\bst[eo]l\w*en?\b", r"\bspill\w*", r"\bdropped\b", r"\bflush\w*", r"\bearly\b", r"\bvacation\w*", r"\btrip\b", r"\btravel\w*", r"\bout of (?:town|state|the country)\b", r"\b(?:going|go) away\b", r"\bleaving\b", r"\bleft (?:it|them|my \w+|mine) (?:at|in|on|behind)\b",
        r"\bthrew (?:it|them|my|out|away)\b", r"\bdog ate\b", r"\bcan'?t find\b", r"\bahead of\b", r"\bperdi\w*", r"\brobar\w*", r"\brobad\w*", r"\bviaj\w*", r"\bvacacion\w*", r"\badelant\w*", r"\bantes de tiempo\b", r"\bflight\b", r"\bcruise\b",
    )),
    (Intent.lab, 95, _any(r"\blabs?\b", r"\bblood ?(?:work|test|draw)\w*", r"\b(?:test )?results?\b", r"\ba1c\b", r"\burine\b", r"\bx-?\s?rays?\b", r"\bmri\b", r"\bct scan\b", r"\bbiops\w*", r"\bmammogram\w*", r"\bultrasound\b", r"\banalisis\b", r"\bresultados?\b", r"\blaboratorio\w*", r"\bexamen(?:es)?\b", r"\btests?\b")),
    (Intent.appointment, 95, _any(r"\bappointments?\b", r"\bappts?\b", r"\b(?:re)?schedul\w*", r"\bcome in\b", r"\b(?:office|next|my|a|video|tele\w*) visit\b", r"\bvisits?\b", r"\bsee (?:the |my |a |you|dr|doctor)\b", r"\bbe seen\b", r"\bphysical\b", r"\bcitas?\b", r"\btelehealth\b", r"\bcheck-?\s?up\b")),
    (Intent.billing, 95, _any(r"\bbill(?:s|ed|ing)?\b", r"\bcharg\w*", r"\bco-?\s?pay\w*", r"\binsur\w*", r"\bcosts?\b", r"\bprices?\b", r"\bafford\w*", r"\bexpensive\b", r"\bpay(?:ment|ing)?\b", r"\bprior auth\w*", r"\bcover(?:ed|age|s)\b", r"\bcoupons?\b", r"\bgood ?rx\b", r"\bdeductible\b", r"\bfactura\w*", r"\bseguro\b", r"\bcobr\w+", r"\bcosto\w*", r"\bmedicare\b", r"\bmedicaid\b")),
    (Intent.refill_status, 90, _any(
        r"\b(?:did|have|has|was|were|is|are|hasn'?t|haven'?t|wasn'?t|didn'?t|isn'?t)\b (?:you|my|the|it|they|that|dr|this|anyone|someone|he|she|\w+'s)?\b.{0,40}\b(?:sent|receiv\w*|got|ready|filled|approved|called in|done|processed|refilled|gone through|go through|been|responded|faxed|ordered)\b",
        r"\bdid you (?:send|get|call|refill|fill|fax|receive)\b", r"\bstatus\b", r"\bstill (?:waiting|haven'?t|no|not|need\w*)\b", r"\bfollow(?:ing)?[- ]?up\b", r"\b(?:haven'?t|have not|never|didn'?t) (?:heard|hear|receiv\w*|got|get|come|go)\b", r"\bany (?:update|news|word)\b", r"\bupdates?\b", r"\bwhen (?:will|can|is|should|are)\b.{0,25}\b(?:ready|sent|available|filled|done|it|refill\w*)\b", r"\bwhat happened\b", r"\b(?:asked|requested|sent|called|messaged)\b.{0,40}\b(?:yesterday|ago|last week|already|monday|tuesday|wednesday|thursday|friday)\b", r"\bwhere is\b", r"\bsecond (?:time|request)\b",
        r"\b(?:ya|todavia|aun)\b.{0,20}\b(?:mand\w+|envi\w+|list[ao]|surti\w+|recib\w+|espera\w*)\b", r"\bestado de\b",
    )),
    (Intent.pharmacy_change, 95, _any(
        r"\b(?:chang|switch|transfer|mov|updat)\w*\b.{0,40}\bpharmac\w*", r"\b(?:new|different|another|other) pharmac\w*", r"\bpharmac\w*\b.{0,12}\b(?:chang\w*|switch\w*|clos\w*|out of stock|does(?: not|n'?t) have|doesn'?t carry)\b",
        r"\b(?:chang|switch|transfer|mov)\w*\b.{0,40}\b(?:cvs|walgreens|walmart|rite ?aid|costco|kroger|publix|target|safeway|express scripts|optum ?rx|amazon|h-?e-?b)\b", r"\bfrom now on\b", r"\bcambi\w+\b.{0,25}\bfarmacia\b", r"\b(?:nueva|otra|diferente) farmacia\b", r"\bfarmacia nueva\b", r"\bout of stock\b", r"\bback-?\s?order\w*",
    )),
    (Intent.other, 90, _any(r"\b(?:letter|note for|forms?|referral\w*|refer me|records|vaccin\w*|shots?|paperwork|fmla|disabilit\w*|jury|portal|password|address|moved|complain\w*|question\w*|why|how (?:do|much|many|long|often|should)|what (?:is|are|do|should|time)|should i|pregunta\w*|por que|carta|vacuna\w*)\b")),
)

REFILL_STRONG = _any(r"\bre-?\s?fil+\w*", r"\brenew\w*", r"\bre-?order\w*", r"\bresurt\w*", r"\bsurt\w+", r"\brecarg\w*", r"\brenov\w+", r"\brenuev\w+", r"\brellen\w+", r"\breposicion\b", r"\b(?:prescriptions?|rx|scripts?|recetas?)\b")
REFILL_WEAK = _any(
    r"\bneed\w*\b", r"\b(?:can|could|may) (?:i|you|we)\b.{0,20}\b(?:get|have|send|order|call|fill|give)\b", r"\b(?:send|call|put) (?:in|out|me|over|my|a|an|it|the|to|through)\b", r"\b(?:running|run|ran|almost|nearly|getting|am|i'm|im|completely|all|be|i'll be) (?:\w+ )?(?:out|low)\b", r"\bout of (?:my )?\b", r"\blow on\b", r"\b(?:would|i'd) like\b", r"\border\b", r"\bmore (?:of )?my\b", r"\bplease (?:send|fill|order|call)\b", r"\bfill\b", r"\b(?:days?|pills?|tablets?) left\b", r"\blast (?:pill|tablet|one|dose)\b",
    r"\bnecesit\w+", r"\bquier[oa]\b|\bquisiera\b", r"\b(?:puede|pueden|podria|podrian)\b.{0,20}\b(?:enviar|mandar|dar|ordenar)\w*", r"\b(?:envie|mande|manden|envien)\w*\b", r"\bse me (?:esta|estan|acab\w+|termin\w+)\b", r"\b(?:acabando|terminando|agotando|acabaron|acabo)\b", r"\bsolicit\w+",
)
THANKS = _any(r"\bthank\w*", r"\bthx\b", r"\bty\b", r"\bappreciat\w*", r"\bgracias\b", r"\bagradez\w*", r"\bgot it\b", r"\bgreat\b", r"\bperfect\b")

ALL_MEDICATIONS = _any(
    r"\ball (?:of )?(?:my |the |these |those |our )?(?:\w+ )?(?:med\w*|prescriptions?|rxs?|rx's|refills?|pills|scripts|them|of them|inhalers)\b", r"\beverything\b", r"\b(?:rest|remainder) of (?:my|the)\b", r"\b(?:usual|regular|monthly|other|normal|daily) (?:med\w*|prescriptions?|pills|refills?|rxs?|ones)\b", r"\btod[ao]s (?:mis|las|los)\b", r"\beach of my\b", r"\bsame (?:ones|meds|medications|prescriptions)\b",
)
SOMEONE_ELSE = _any(
    r"\bmy (?:\w+ )?(?:husband|wife|mom|mother|mum|dad|father|son|daughter|child|children|kid|kids|baby|brother|sister|grand\w+|partner|boyfriend|girlfriend|friend|uncle|aunt|parents?|spouse|roommate|neighbor|dog|cat|pet|boy|girl|fiancee?|cousin|nephew|niece|stepson|stepdaughter)(?:'?s)?\b", r"\bfor (?:him|her|them|my (?:mom|dad))\b", r"\bon behalf\b", r"\bcaregiver\b", r"\bpower of attorney\b", r"\b(?:his|her|he|she|hers)\b", r"\b(?:caring|writing|calling|asking) for\b", r"\bmi (?:esposo|esposa|mama|papa|hijo|hija|madre|padre|abuel\w+|marido|mujer|novi\w+|herman\w+|bebe|perro|gato|nin[oa]|suegr\w+|ti[oa])\b", r"\bpara (?:el|ella)\b(?! (?:azucar|corazon|colesterol|dolor|reflujo|agua))",
)
INSTRUCTION = _any(
    r"\bignor\w* (?:all |any |the |your |these )*(?:previous|prior|above|earlier|other|safety)?\s?(?:instruction\w*|rules?|prompts?|guidelines?|checks?|guards?|polic\w+)", r"\bsystem\s?(?:prompt|message|:)", r"\byou are (?:now|an?|the)\b", r"\bas an? (?:ai|assistant|language)\b", r"\b(?:ai|bot|chatbot|llm|gpt|computer|algorithm|automat\w+|auto)\b", r"\bjailbreak\w*", r"\bover-?\s?rid\w*", r"\bbypass\w*", r"\bauto-?\s?approv\w*", r"\bapprov\w* (?:this|it|automatic\w*|immediate\w*|all|now|without)\b", r"\badmin\w*\b", r"[<>{}\[\]\\|]", r"```", r"\bmark (?:this|it|as)\b", r"\bclassif\w*", r"\bintent\b", r"\bconfidence\b", r"\bjson\b", r"\bdrop table\b", r"\bselect \*", r"\bscript>", r"\bpretend\b", r"\bdeveloper mode\b", r"\bno (?:human|person|review)\b", r"\bhttps?:|\bwww\.",
)
NEGATION = re.compile(r"\b(?:not|no|never|none|nothing|without|nor|neither|cannot|cant|dont|didnt|doesnt|isnt|wasnt|wont|havent|hasnt|nunca|jamas|tampoco|ni|sin|nada|\w+n't)\b")
CONDITION = re.compile(r"\b(?:if|unless|or|until|but|however|except|instead|though|although|because|since|pero|si|hasta que|o|u (?=h?o)|aunque|excepto|depend\w*|maybe|perhaps|whether|only when|quiza\w*)\b")
PAST = re.compile(r"\b(?:used to|was taking|was on|had been|were taking|previously|years? ago|old prescription|antes tomaba|tomaba)\b")

HARMLESS: tuple[re.Pattern[str], ...] = tuple(re.compile(part) for part in (
    r"\bno (?:rush|hurry|worries|problem|prisa)\b", r"\b(?:i )?(?:have|has|got|there (?:are|is)|with|are|is)?\s?no (?:more )?(?:refills?|pills|tablets)(?: (?:left|remaining|on file|remain))?\b",
    r"\b(?:do not|don'?t) have (?:any|anymore|any more) ?(?:refills?|pills|tablets)?(?: (?:left|remaining))?\b", r"\bif (?:it'?s )?possible\b", r"\bif (?:you|u) (?:can|could|would|don'?t mind|please)(?: please)?\b", r"\bif (?:that'?s|that is|its|it'?s|it is) (?:ok|okay|fine|alright)\b",
    r"\b(?:i )?(?:was|am|i'm|im|were)? ?(?:just )?(?:wondering|hoping|asking|writing|calling|checking|seeing|requesting) (?:to see |to ask )?(?:if|whether|to|for)? ?(?:i|you|we|u|dr|doctor)? ?(?:can|could|may|might|would)?(?: please| kindly)?(?: get| have| send| call in| refill| request)?\b(?! (?:take|increase|change|stop|double))",
    r"\bwhen(?:ever)? (?:you|u) (?:can|could|get (?:a|the) (?:chance|moment|minute|time)|have (?:a|the) (?:chance|moment|minute|time))\b", r"\blet me know (?:when|if|once) (?:it'?s|it is|its|that'?s|they'?re|you|there'?s|ready|sent|done|this is|you need)(?: (?:is|are|has been|have|anything|need|ready|sent|done|you|more|else|from me))*\b", r"\bas soon as (?:you can|possible|u can)\b", r"\bat your (?:earliest )?convenience\b",
    r"\b(?:i )?(?:only |just )?(?:have|has|got|down to|about|with)? ?(?:only |just |about |like )?(?:\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|a few|a couple(?: of)?|a week'?s?(?: worth)?(?: of)?) (?:more )?(?:pills?|tablets?|tabs?|capsules?|days?|doses?|weeks?|puffs?)(?: (?:left|remaining|remain|worth|to go|of it|of them|of my))*\b(?= left| remain|[^a-z0-9]*(?:$|[.,!?\n])| and| so)",
    r"\b(?:for|by|in|within|on|before|this|next|until) (?:the )?(?:next )?(?:\d{1,2} (?:days?|weeks?)|a few days|a couple days|a week|today|tomorrow|tonight|monday|tuesday|wednesday|thursday|friday|saturday|sunday|the weekend|weekend|week|month|end of (?:the )?(?:day|week|month))\b",
    r"\b(?:d\.?o\.?b\.?|date of birth|birth ?date|born(?: on)?|fecha de nacimiento)\b[\s:#-]*(?:is )?\d{1,4}[-/. ]\d{1,2}[-/. ]\d{2,4}\b", r"\b(?:phone|cell|number|call me at|reach me at|tel)\b[\s:#-]*(?:is )?\+?1?[-. (]*\d{3}[-. )]*\d{3}[-. ]*\d{4}\b", r"\b(?:same|usual|current|regular) (?:dose|dosage|strength|pharmacy|place|one|as (?:before|last time|always|usual))\b", r"\bsame (?:\w+ )?as (?:before|last time|always|usual)\b",
    r"\b(?:a |my )?new (?:rx|prescription|script)s?\b", r"\bhope (?:you|u|all|everyone)(?:'re| are| is|r)? (?:all )?(?:are )?(?:doing |having )?(?:a )?(?:well|good|great|nice|fine|ok)(?: (?:day|week|weekend|morning|evening))?\b", r"\bhow are (?:you|u)(?: doing)?(?: today)?\b", r"\bhave a (?:good|great|nice|wonderful|lovely|blessed|safe) (?:day|one|evening|weekend|night|week|afternoon|holiday)\b",
    r"\b(?:i'm|im|i am|we are|its|it'?s|is)? ?(?:about |due |time |up )?(?:due|time|up) for (?:a|my|its|the) (?:refill|renewal)\b", r"\bfor (?:my )?(?:high )?(?:blood pressure|bp|cholesterol|thyroid|diabetes|hypertension|la presion|el colesterol|la tiroides|la diabetes)\b(?!.{0,15}(?:\d|high|low|up\b|spik))", r"\b(?:another|next|additional|a|the) (?:30|60|90|thirty|sixty|ninety)[- ]days?(?: supply)?\b",
    r"\b(?:the |my )?pharmacy (?:said|says|told me|asked me|told us|tells me|is asking)(?: that)?(?: i| me| to| they| we)*(?: need| needs| have| to| contact| call| ask| get| you| the| my| a| your| office| doctor| for| new| prescription| approval| authorization| more| refills?)*\b", r"\b(?:i |i've )?(?:have )?(?:run|ran|am|i'm) (?:all |completely |almost |totally |nearly |just )?out (?:of|on)?\b", r"\b(?:i'm |i am |im )?(?:almost|nearly|completely|totally|about to be|about to run|going to be|going to run|will be|i'll be|running|just|getting|all) (?:out|low)(?: of| on)?\b",
    r"\b(?:that'?s|that is|that will be|it'?s|this is) all\b", r"\bthank(?:s| you)?(?: so| very)?(?: much)?(?: for (?:your|all your|the|everything|all|you)(?: help| time| do| you do| assistance)*)?\b", r"\bi(?:'d| would) (?:like|appreciate|love)(?: to| it| if you could)?\b", r"\b(?:it has been|it'?s been|have been|been) (?:a )?(?:while|month)\b", r"\bal final\b", r"\bpor favor\b", r"\bque tenga (?:un )?(?:buen|lindo|bonito) dia\b", r"\bse me (?:esta|estan|acabo|acabaron|acaba|acaban|termino|terminaron|termina) ?(?:acabando|terminando|agotando)?\b",
    r"\btake care\b", r"\bcall(?:ed)? (?:it |this |that |them )?in\b", r"\bgod bless(?: you)?\b", r"\bsend (?:it |this |that |them )?(?:over|in|through)\b", r"\bget (?:it |this |that |them )?(?:filled|refilled)\b", r"\bhelp me\b", r"\b(?:help|assist) (?:with|getting)\b", r"\bay[uú]d(?:a|e)(?:me)? con\b",
))

DOUBTS: tuple[tuple[DoubtCode, re.Pattern[str], str], ...] = (
    (DoubtCode.for_someone_else, SOMEONE_ELSE, "The words may be about another person than the patient."),
    (DoubtCode.instruction_text, INSTRUCTION, "The text holds symbols or words that do not belong in a plain ask."),
    (DoubtCode.past_tense, PAST, "The words speak of the past."),
    (DoubtCode.all_medications, ALL_MEDICATIONS, "Asks for several medicines without naming each."),
)

# Words of danger that are corrected when misspelt by one letter, before danger is looked for.
DANGER_WORDS = (
    "chest", "breathe", "breathing", "breath", "suicide", "suicidal", "overdose", "overdosed", "bleeding", "swelling",
    "swollen", "throat", "seizure", "unconscious", "fainted", "stroke", "emergency", "anaphylaxis", "pregnant",
    "dizzy", "vomiting", "headache", "rash", "pain", "hurts", "myself", "ambulance", "slurred", "numbness",
    "palpitations", "symptoms", "pecho", "respirar", "dolor", "sangrado", "embarazada", "suicidio", "sobredosis",
)
