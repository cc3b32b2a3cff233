"""Signs of an emergency as families: two kinds of words that are dangerous near each other, either way round.

English and Spanish, over folded text. Wide on purpose; what is only a manner of speaking stands in `danger_sayings`.
"""

from __future__ import annotations


def near(first: str, second: str, within: int = 25) -> str:
    """A pattern for both within so many characters, in either order."""
    return rf"\b(?:{first})\w*\b.{{0,{within}}}?\b(?:{second})\w*|\b(?:{second})\w*\b.{{0,{within}}}?\b(?:{first})"


_CHEST = r"chest|pexo|peco\b|breastbone|sternum|pecho"
_ARM = r"left arm|jaw|brazo izquierdo|mandibula|left shoulder"
_PRESSING = (
    r"pain|hurt|ach(?:e|es|ing|y)\b|tight|pressure|heav|squeez|crush|burn|elephant|weight on|band around|stab"
    r"|discomfort|flutter"
    r"|weird|duel|dolio|dolor|presion|opresion|apret|apriet|punza|ardor|quema|pesad|oprim|sharp"
)
_NO = (
    r"can'?t|cannot|can not|cant|couldn'?t|hard to|hard time|trouble|hardly|barely|struggl|unable|difficult|not able"
    r"|fighting|gasp"
    r"|no puedo|no podia|no puede|cuesta|me falta|faltando|batall|trabajo para|labored|short of|shortness|running out"
    r" of"
)
_BREATH = r"breath|breeth|brethe|brething|breathing|air\b|respir|resuello|aire\b"
_SIDE = r"left|right|one side|one-sided|half|izquierd|derech|un lado|mitad"
_LIMB = r"arm|braso|leg|hand|side|face|foot|brazo|pierna|mano|lado|cara|pie\b|fingers"
_GONE = (
    r"numb(?!er)|weak|droop|asleep|tingl|paraly|dead\b|limp|dormid|entumec|no (?:lo |la "
    r"|me )?respond|debil|adormec|caid"
    r"|torcid|chuec"
    r"|won'?t (?:hold|move|work)|wont (?:hold|move|work)|gave out|gives out|drop(?:ped|ping|s)?\b|lopsided|crooked"
)
_SWOLLEN = (
    r"swell|swole|swoll|puff(?:y|ed) up|big\b|fat\b|huge|closing|close up|tight|hinch|inflam|grande|cerr|gorda|balloon"
)
_AIRWAY = r"lips?|tongue|throat|face|mouth|cara|labios?|lengua|garganta|boca"
_CHILD = (
    r"son\b|daughter|baby|toddler|grand(?:son|daughter|baby|kid|child)\w*|kid\b|kids\b|child|\d ?(?:yr|year|yo|y/o|mo"
    r"|month)s?(?: ?old)?|little (?:one|guy|girl|boy)|ni[n]o|ni[n]a"
    r"|hijo|hija|bebe"
    r"|niet[oa]"
)
_SWALLOWED = r"swallow|ate\b|eaten|took\b|got into|tomo\b|trago\b|comio\b|agarro\b|chewed|drank"
_PILLS = r"pills?|meds\b|medicine|tablets?|bottle|pastill|medicina|pildora|gummies|vitamins|insulin"
_STOOL = (
    r"stools?|poop|bm\b|bowel|2 is|number (?:2|two)|toilet|bathroom|caca|popo|heces|excremento|obr(?:o|ar|ando|e)\b"
    r"|evacu|del (?:2|dos)"
)
_SUGAR = r"sugars?|glucose|bs\b|bg\b|azucar|glucosa|shug\w*|dexcom|libre|meter"
_PULSE = r"heart|pulse|heart ?rate|hr\b|corazon|pulso|latidos"

SIGNS: tuple[tuple[str, str], ...] = (
    ("chest", near(_CHEST, _PRESSING, 35)),
    ("chest", near(_ARM, r"pain|hurt|ach(?:e|es|ing)\b|duel|dolor|heavy|tight", 20)),
    ("breathing", near(_NO, _BREATH, 22)),
    (
        "breathing",
        r"\b(?:lips?|fingers|nails|labios|unas) (?:are |is |look\w* |turn\w* |went |estan |se \w+"
        r" )*(?:blue|gray|grey|purple|morad\w*|azul\w*)",
    ),
    ("breathing", r"\bwinded\b|\bsmother\w*|\bpuffing just\b|\bcatch my breath\b"),
    (
        "breathing",
        near(
            r"wheez",
            r"worse|can'?t|won'?t stop|swell|hives|epi ?pen|inhaler (?:isn'?t|not|won'?t)"
            r"|nothing helps",
            60,
        ),
    ),
    (
        "breathing",
        r"\btalk\w* in (?:pieces|bits|short|gasps)|\bhalf ?way (?:thru|through) a sentence|\b(?:finish"
        r"|get out|say) (?:a |a whole |a full |my )?sentences?\b|\bfull sentences?\b"
        r"|\b(?:not|isn'?t|hardly|barely) (?:really )?(?:touching it|opening me up|helping me breathe)",
    ),
    (
        "breathing",
        near(
            r"inhaler|albuterol|ventolin|proair|nebulizer|nebs?|salbutamol|puffs",
            r"every (?:\d|one|two"
            r"|couple|few|hour|half|hora|dos horas|15|20|30) ?(?:hrs?|hours?|minutes?|mins?|horas?)?|went through the"
            r" whole|nonstop",
            40,
        ),
    ),
    ("stroke", rf"\b(?:{_SIDE})\w*\b.{{0,25}}?\b(?:{_LIMB})\w*\b.{{0,45}}?\b(?:{_GONE})"),
    ("stroke", rf"\b(?:{_GONE})\w*\b.{{0,25}}?\b(?:{_SIDE})\w*\b.{{0,12}}?\b(?:{_LIMB})"),
    ("stroke", rf"\b(?:{_LIMB})\w*\b.{{0,25}}?\b(?:{_GONE})\w*\b.{{0,25}}?\b(?:{_SIDE})"),
    (
        "stroke",
        near(
            r"face|mouth|smile|cara|boca|sonrisa|eyelid",
            r"droop|lopsided|crooked|torcid|chuec|caid|de"
            r" lado|twist|one side|un lado",
            20,
        ),
    ),
    (
        "stroke",
        r"\b(?:slur|slurd|slured|sluring)\w*|\bspeach\b.{0,15}\b(?:slur|funny|weird|gone|garbl)\w*"
        r"|\b(?:words|speech|talking)\b.{0,25}"
        r"\b(?:jumbled|garbled|slurr\w*|gibberish|won'?t come|wont come|come out wrong|coming out wrong"
        r"|not making sense"
        r"|mixed up)",
    ),
    (
        "stroke",
        r"\b(?:can'?t|cannot|cant|couldn'?t|trouble|hard to|no puedo|no podia|no me salen?|se me"
        r" traba\w*)\b.{0,15}\b(?:speak|talk\b|talking|get"
        r" (?:my )?words|find (?:my |the )?words|say words|hablar|las palabras|la lengua)",
    ),
    ("stroke", r"\b(?:can'?t|cant|cannot|doesn'?t|not) understand (?:me|what i|my speech|a word)"),
    (
        "stroke",
        near(
            r"vision|sight|eyes?|vista|ojos?",
            r"curtain|went (?:black|dark|blank)|gone\b|blind|lost|double"
            r"|negr[oa]\b|cortina|perdi|doble|no veo|can'?t see",
            30,
        ),
    ),
    (
        "stroke",
        r"\b(?:no (?:puede|puedo|podia)) mover\b|\bhabla\w* (?:enredad\w*|raro|trabad\w*|arrastra\w*)|\bse"
        r" (?:me|le) (?:duerme|durmio|enreda|traba|cae|caen|cayo)\b.{0,12}\b(?:el|la|las)?\b.{0,4}\b(?:bra[sz]o|lengua"
        r"|cara|mano|boca|cosas|pierna)",
    ),
    ("stroke", r"\bembolia\b|\bderrame (?:cerebral)?|\bmini ?stroke\b|\btia\b(?= (?:yesterday|today|last|again|this))"),
    ("bleeding", r"\bnose ?bleed\w*|\bbloody nose\b|\bsangr(?:e|ando|o) (?:de|por) la nariz|\bhemorrag\w*"),
    (
        "bleeding",
        near(
            r"blood|bloody|sangre|clots?",
            rf"{_STOOL}|urine|pee\b|peeing|vomit|puke|puking|throw\w* up"
            rf"|threw up|cough|spit|orina|orinando|tos\b|escup|gums",
            25,
        ),
    ),
    ("bleeding", near(r"black|tarry|tar\b|negr[oa]s?|chapopote|maroon", _STOOL, 30)),
    (
        "bleeding",
        r"\bcoffee grounds?\b|\bsoak\w*\b.{0,20}\b(?:pads?|towels?|tampons?|sheets|gauze)|\b(?:won'?t|wont"
        r"|can'?t|doesn'?t|not|no) (?:stop|clot|para)\b.{0,20}\b(?:bleed|blood|sangr)\w*",
    ),
    (
        "bleeding",
        r"\b(?:squirt|spurt|gush|pour)\w*\b.{0,25}\b(?:blood|a little|when i|out|sangre)|\b(?:cut|gash"
        r"|wound|herida|cortada)\b.{0,40}\b(?:won'?t|wont|doesn'?t|no) (?:quit|stop|close|para)"
        r"|\b(?:two|three|four|five|\d) (?:dish |bath |hand )?towels\b",
    ),
    ("head injury", near(r"hit|bump|bang|crack|smack|golpe|pegu|struck", r"head|skull|cabeza", 18)),
    (
        "fainting",
        r"\b(?:pass(?:ed|ing|es)?|black(?:ed|ing)?|f[ea]ll|falling|knock\w*)\b.{0,6}\bout\b(?! of (?:the "
        r"|my )?(?:bed|chair|car))|\bfaint\w*|\bcollaps\w*"
        r"|\bpasses? ?out\b|\b(?:lost|losing|lose) consciousness|\bwoke up on the (?:floor|ground)"
        r"|\bfound (?:me|him|her"
        r"|myself) on the (?:floor|ground)",
    ),
    (
        "fainting",
        r"\beverything (?:goes|went|gets|turns|go) (?:black|dark|white|gr[ae]y)|\b(?:gr[ae]y|black|dark)"
        r" (?:out|when i (?:stand|get up))|\bdesmay\w*"
        r"|\bperd(?:i|io|iendo) el (?:conocimiento|sentido)|\bse me (?:fue|va) (?:el mundo|la luz|todo)",
    ),
    (
        "seizure",
        r"\b(?:had|having|have|has|another|a|one of (?:my|his|her)|last|first|these|big|bad|mini) (?:\w+"
        r" )?(?:seizures?|siezures?|seizers?|convulsions?|fits?)\b"
        r"|\b(?:tuv\w+|dio|dieron|tiene|teniendo|esta|otra|una|unas|sus|dos|tres|varias|\d) convulsi\w+"
        r"|\bconvulsiona\w*"
        r"|\bconvulsing\b|\bshak(?:ing|in|en)\b.{0,10}\ball over\b|\bbit (?:my|his|her"
        r"|the) (?:own )?tongue|\bmord\w+ la"
        r" lengua|\beyes (?:rolled|rolling)",
    ),
    (
        "seizure",
        r"\bme (?:dio|dieron|da|pego) (?:el|un|otro|los) ataques?\b|\bataques? (?:epilep\w+|de epilepsia"
        r"|convulsiv\w+)|\bseizing\b",
    ),
    ("allergy", near(_AIRWAY, _SWOLLEN, 30)),
    (
        "allergy",
        near(
            r"epi ?pen|auvi-?q|epinephrine",
            r"used|gave (?:myself|him|her)|stabbed|jabbed|injected|took"
            r"|use it (?:today|just)|puse|use un",
            20,
        ),
    ),
    (
        "allergy",
        near(
            r"hives|ronchas|welts|urticaria",
            r"all over|everywhere|todo el cuerpo|breath|swell|throat"
            r"|spreading|face",
            40,
        ),
    ),
    (
        "overdose",
        r"\b(?:took|taken|take|swallowed|tome|me tome|tomo)\b.{0,25}\b(?:too much|too many|way more|whole"
        r" bottle|all (?:of )?(?:my|the|them)|handful|demasiad\w*|de mas\b|todo el frasco)",
    ),
    ("overdose", near(r"methotrexate|metotrexato", r"every ?day|daily|each day|todos los dias|diario|cada dia", 60)),
    (
        "overdose",
        near(
            r"insulin|humalog|novolog|lantus|lispro|insulina|units|unidades",
            r"wrong|too much|twice"
            r"|double|doble|by mistake|instead of|de mas|equivoc",
            40,
        ),
    ),
    (
        "overdose",
        rf"\b(?:{_CHILD})\w*\b.{{0,40}}?\b(?:{_SWALLOWED})\w*\b.{{0,40}}?\b(?:{_PILLS})"
        rf"|\b(?:{_CHILD})\w*\b.{{0,25}}\bgot (?:in|into|hold of|ahold of)\b.{{0,25}}\b(?:{_PILLS}|my)",
    ),
    (
        "overdose",
        r"\b(?:me )?tom[eo] (?:como |unas |casi |mas de )?(?:\d{2,}|diez|doce|quince|veinte|treinta)\b"
        r"|\b(?:all over|in|from) (?:his|her|its) mouth\b|\btook (?:like |about |maybe |almost |over )?(?:\d{2,}|ten"
        r"|twelve|fifteen|twenty|thirty)\b(?! ?(?:mg|mcg|units?|minutes|days|hours|weeks))",
    ),
    (
        "overdose",
        r"\bpoison\w*|\bsobredosis\b|\boverdos\w*|\bod(?:'d|'ed|ed|ing)\b|\bnarcan\b"
        r"|\bnaloxone\b.{0,15}\b(?:gave|used|twice)",
    ),
    (
        "overdose",
        near(
            r"pills?|meds|xanax|oxy\w*|norco|pastillas",
            r"vodka|whiskey|liquor|tequila|bottle of wine"
            r"|drunk|alcohol|fentanyl|heroin|street",
            40,
        ),
    ),
    (
        "self-harm",
        r"\b(?:better off|mejor) (?:without me|dead|gone|sin mi|muert\w+)|\b(?:see|have|is|there'?s)?"
        r" ?(?:no|not|don'?t|dont|any|the) (?:see |have |much )?(?:the |any |a |much )?(?:point|reason)"
        r" (?:in |to |of )?(?:living|live|going on|any ?more|anything|refilling|life|go on|be here|it all|trying)",
    ),
    (
        "self-harm",
        r"\bsav(?:ing|ed)\b.{0,15}\b(?:them|pills|my (?:pills|meds))?\b.{0,8}\bup\b|\bstockpil\w*"
        r"|\bhoard\w*|\bguard(?:ando|ado|e)\b.{0,15}\bpastillas",
    ),
    (
        "self-harm",
        r"\b(?:can'?t|cannot|cant|don'?t want to|dont want to|tired of|done with|sick of|no quiero|ya no"
        r" quiero|ya no puedo|cansad[oa] de)\b.{0,12}\b(?:do (?:this|it) any ?more"
        r"|go on|take (?:it|this) any ?more|living|live|being alive|be alive|life|be here|exist\w*|wake up|vivir|seguir"
        r"|esta(?:r)? (?:aqui|viv[oa])|la vida|con (?:esto|todo)|mas con)",
    ),
    (
        "self-harm",
        r"\b(?:don'?t|dont|not sure i|do not|no longer) (?:really )?care\b.{0,40}\b(?:any ?more|being"
        r" here|living|what happens)|\b(?:about|of|over) being here\b",
    ),
    (
        "self-harm",
        r"\b(?:been|started|am|i'm|im|keep|kept|back to) cutting\b(?! (?:back|my|a |pills|down|my pills"
        r"|it|the|them|pills|out|carbs|sugar|salt))|\b(?:think\w*|thought\w*|dream\w*|urge\w*)"
        r"\b.{0,15}\b(?:driv\w+ (?:into|off)|jump\w*|ending|dying|hurting|not being (?:here|around)|death|hanging|the"
        r" (?:bridge|overpass))|\bdriv\w+ (?:my car |the car )?(?:into|off) (?:a|the)"
        r" (?:overpass|bridge|tree|wall|river|pole)",
    ),
    (
        "self-harm",
        r"\bwrote (?:the |my |some |a )?(?:letters?|note|notes|goodbyes?)\b|\bnothing (?:you|u|anyone"
        r"|y'?all) (?:could|can) (?:of|have|'ve)?\s?(?:done|do)\b|\bgave (?:away )?(?:my|the|all my)? ?"
        r"(?:dog|cat|things|stuff|\w+) (?:away|to my (?:neighbor|sister|brother|friend))|\benough to (?:make sure|do it"
        r"|finish)|\byou were always kind|\bi love you all\b|\bthis is it\b|\bhere on earth\b|\b(?:go"
        r"|going|gone) home to (?:the lord|jesus|god)|\beveryone (?:would|will|'d) be (?:happy|happier"
        r"|better)",
    ),
    (
        "self-harm",
        r"\bcansad[oa] de todo\b|\b(?:sin|no tengo) ganas de (?:vivir|seguir|nada)|\bno vale la pena"
        r" (?:vivir|seguir)|\b(?:quiero|quisiera|ganas de) (?:morir\w*|desaparecer|matarme|acabar con)",
    ),
    (
        "self-harm",
        r"\b(?:sleep|dormir\w*)\b.{0,20}\b(?:never|not|and not|y no|y ya no|no) (?:wake|waking"
        r"|despertar\w*)|\b(?:not|never|don'?t want to|no) (?:wake|waking|wanna wake) up\b|\bno despertar\b",
    ),
    (
        "self-harm",
        r"\b(?:want|wanting|wish|need) (?:it|this|everything|the pain) (?:all )?to (?:end|stop|be over)"
        r"|\bend (?:it|things|my life|it all)\b|\bscare(?:s|d)? myself\b|\bkms\b|\bunaliv\w*",
    ),
    (
        "self-harm",
        r"\b(?:hurt\w*|harm\w*|cut\w*|kill\w*|shoot\w*|hang\w*|drown\w*) (?:on )?my ?self|\b(?:suicid"
        r"|sucid|suiside|suisid)\w*|\b(?:hacerme dano|lastimarme|quitarme la vida|matarme|cortarme)",
    ),
    (
        "self-harm",
        r"\b(?:say(?:ing)?|said|this is) (?:my )?(?:goodbye|good bye|farewell)|\bnot (?:gonna |going to"
        r" )?be (?:around|here) (?:much longer|anymore|for long|to)\b",
    ),
    (
        "sugar",
        rf"\b(?:{_SUGAR})\b.{{0,22}}?\b(?:is|was|of|at|en|esta|a|read|reads|reading|dropped|down to|only|low"
        rf"|bajo|baja|in the|says|dice|went|got|=|just)?\b.{{0,10}}?(?<![\d.])(?:[1-4]\d|5[0-4]|[45]\d\d"
        rf"|6\d\d)(?![\d.%])(?! ?(?:mg|mcg|units?|pills?|tabl|caps|count|days?|years?|am|pm))",
    ),
    (
        "sugar",
        near(
            _SUGAR,
            r"too low|really low|so low|very low|dropp\w+|crash|bottom|bajisim|muy baj|wont come up"
            r"|won'?t come up|keeps dropping|over 400|reads? hi\b|says hi\b|hi on the meter",
            20,
        ),
    ),
    (
        "sugar",
        near(
            r"shak(?:ing|y|in)|sweat|confus|can'?t think|cant think|tembl|sudor",
            r"sugar (?:is |was |of"
            r" )?(?:low|\d\d)|low sugar|azucar baj\w|hypo\w*",
            40,
        ),
    ),
    (
        "sugar",
        near(_SUGAR, r"(?:says|reads?|reading|showing|shows) (?:lo|low|hi|high|error)\b", 20),
    ),
    (
        "chest",
        near(
            r"nitro|nitroglycerin\w*|nitroglicerina",
            r"(?:used|took|taken|had|tome|puse|use) (?:\d|two|three|four|five|dos|tres)|since (?:midnight"
            r"|last night|this morning)|not (?:helping|working)|creeping|back again",
            50,
        ),
    ),
    (
        "heart rate",
        rf"\b(?:{_PULSE})\b.{{0,30}}?(?<![\d/.])(?:1[5-9]\d|2[0-4]\d)(?![\d/.])(?! ?(?:mg|mcg|min"
        rf"|hours?|days?|pills?|years?|am|pm|%|units?|tabl|caps))",
    ),
    (
        "heart rate",
        near(
            r"heart|corazon",
            r"racing|pounding|going crazy|skipping|flutter\w*|beating (?:so|really"
            r"|out)|se me sale|acelerad|brincando",
            20,
        )
        + r".{0,60}\b(?:hours?|hrs?|won'?t stop|all (?:day|night)|dizz\w*"
        r"|light ?headed|faint\w*|breath|chest|sweat\w*|pecho|horas|mare\w*)",
    ),
    (
        "blood pressure",
        r"(?<!\d)(?:1[89]\d|2[0-5]\d) ?(?:/|over|sobre|-) ?\d{2,3}(?!\d)|(?<!\d)1\d\d ?(?:/|over"
        r"|sobre) ?1[2-9]\d(?!\d)|\b(?:pressure|bp|presion)\b.{0,20}\b(?:2[0-5]\d|19\d)\b",
    ),
    (
        "clot",
        r"\b(?:calf|leg|pantorrilla|pierna)\b.{0,40}\b(?:swoll\w*|swell\w*|hinch\w*|red\b|hot\b|roja"
        r"|caliente)\b.{0,80}\b(?:breath\w*|chest|stab\w*|respir\w*|pecho)",
    ),
    (
        "fever",
        r"\b(?:fever|temp|temperature|fiebre|calentura)\b.{0,15}(?<!\d)(?:10[3-7]|39\.[5-9]"
        r"|4[01](?:\.\d)?)(?!\d)|\bfever\w*\b.{0,40}\b(?:confus\w*|stiff neck|rigid|delirious|won'?t wake)"
        r"|\b(?:confus\w*|stiff neck)\b.{0,40}\bfever",
    ),
    (
        "unresponsive",
        r"\b(?:won'?t|wont|wouldn'?t|wouldnt|would not|can'?t|cant|cannot|not|couldn'?t|hard to"
        r"|no)\b.{0,6}\b(?:wak(?:e|ing)(?: (?:up|him|her|them))?|respond\w*|despierta\w*|responde|reacciona)\b(?!"
        r" (?:early|to my (?:text|message|request|call)|to (?:texts|messages)))|\bunrespons\w*|\bunconscious\w*"
        r"|\binconsciente",
    ),
    (
        "violence",
        r"\b(?:he|she|husband|wife|boyfriend|girlfriend|partner|son|esposo|marido|novio"
        r"|pareja)\b.{0,20}\b(?:hit|hits|beat|beats|chok\w*|strangl\w*|threaten\w*|pega|golpe\w*|amenaz\w*) (?:me"
        r"|us)\b|\bme (?:pega|golpea|amenaza)\b|\b(?:afraid|scared|fear) (?:of him|of her|for my (?:life|safety))"
        r"|\bnot safe (?:at home|here)",
    ),
    (
        "worst pain",
        r"\bworst (?:pain|headache|migraine|stomach ?ache)\b.{0,25}\b(?:ever|life|had)|\bel peor dolor\b"
        r"|\bthunderclap\b|\bpain (?:is )?(?:a )?(?:10|ten) ?(?:/|out of) ?(?:10|ten)",
    ),
    (
        "wrong rhythm",
        r"\b(?:pacemaker|icd|defibrillator|desfibrilador)\b.{0,20}\b(?:shock\w*|went off|fired|beep\w*"
        r"|descarg\w*)",
    ),
)
