"""Danger as patients really say it, gathered from missed messages, and the manners of speech that are no danger."""

from __future__ import annotations

# A second look, from messages that were missed: each line a way people really say it.
MORE_SIGNS: tuple[tuple[str, str], ...] = (
    (
        "overdose",
        r"\b(?:took|taken|tome|tomo|had)\b.{0,20}\b(?:his|her|hubby'?s|husband'?s|wife'?s|grandpa'?s"
        r"|grandma'?s|mom'?s|dad'?s|brother'?s|sister'?s|someone else'?s|the wrong"
        r"|equivocad\w+)\b.{0,25}\b(?:pills?|meds?|medicine|tablets?|dose|bottle|\w+(?:ol|ine|in|one|am"
        r"|ate|ide))\b",
    ),
    (
        "overdose",
        r"\b(?:me )?equivoque\b.{0,40}\b(?:tome|tomo|puse|inyecte)\b|\bse me fue la mano\b|\b(?:tome"
        r"|tomo|tomado) (?:doble|toda|todo el|toda su|las de)\b|\bthinking it was (?:my|the)\b",
    ),
    (
        "overdose",
        r"\b(?:had|took|taken|taking)\b.{0,12}\b(?:1[0-9]|[2-9]\d|ten|twelve|fifteen"
        r"|twenty)\b.{0,4}\b(?:tylenol|acetaminophen|ibuprofen|advil|aspirin|benadryl|motrin|aleve|percs?"
        r"|norcos?)",
    ),
    (
        "overdose",
        r"\b(?:drank|drink|swallowed|tomo|tome|bebio|gulp\w*)\b.{0,20}\b(?:antifreeze|bleach|cleaner"
        r"|gasoline|lysol|cloro|detergente|lighter fluid|pesticide|anticongelante)|\b(?:mix\w*|mescl\w*"
        r"|mezcl\w*)\b.{0,12}\b(?:bleach|cloro|ammonia|acido)|\b(?:fent|fentanyl)\b|\bnodding\b",
    ),
    (
        "overdose",
        r"\b(?:girl|boy|kid|child|son|daughter|baby|toddler|nino|nina|hij[oa]|niet[oa]"
        r"|bebe)\b.{0,40}\b(?:ate|swallowed|got into|chewed|drank|se tomo|se trago|se comio|comio)\b"
        r"|\breal floppy\b|\bhalf (?:her|his|the|my) (?:\w+ )?(?:is|are) gone",
    ),
    (
        "self-harm",
        r"\b(?:don'?t|dont) see (?:much|a|any|the) (?:point|reason|future)|\bgoodbye (?:msgs?"
        r"|messages?|texts?|notes?|letters?)|\bwritten (?:the |my )?letters\b"
        r"|\bfound (?:a )?home for (?:the|my)\b|\bnoose\b|\bif i (?:go to sleep|die|don'?t wake)",
    ),
    (
        "self-harm",
        r"\b(?:look\w*|lookin|star\w*|think\w*|pens\w+|keep)\b.{0,15}\b(?:at|about"
        r"|en)?\b.{0,6}\b(?:the bridge|bridge|my gun|the gun|gun|rope|knife|pistola|puente|cuchillo"
        r"|navaja)\b|\bagarre (?:el cuchillo|la pistola)|\b(?:cort\w+|cut) (?:me )?(?:las|my) (?:venas"
        r"|wrists?|munecas)|\blas venas\b",
    ),
    (
        "breathing",
        r"\b(?:stop|pause) every \d|\bevery \d words\b|\blips?\b.{0,15}\b(?:blue|purple|gray|grey)"
        r"|\bsuck\w* in\b.{0,12}\bribs|\bpink (?:foam|froth\w*|sputum)|\bfroth\w*|\b(?:can'?t|cant"
        r"|cannot) (?:lie|lay) (?:down )?flat|\bsleep(?:ing)? (?:sitting|upright)",
    ),
    (
        "stroke",
        r"\b(?:left|right|rihgt|one)\b.{0,12}\bwent (?:dead|ded|numb|limp|dark)|\bword salad\b"
        r"|\b(?:talking|saying|speaking|dice|habla) (?:nonsense|gibberish|weird things|cosas raras"
        r"|incoherenc\w+)|\b(?:veo|ve|vision) doble\b|\bsee(?:ing|in)? (?:2|two|double)\b",
    ),
    ("bleeding", r"\b(?:pad|tampon) (?:every|an hour|each)\b|\bclots? the size|\bpassing clots|\bcoagulos\b"),
    ("head injury", r"\b(?:bonked|bashed|knocked|whacked|pego|pegue|golpeo|golpee)\b.{0,20}\b(?:noggin|head|cabeza)"),
    (
        "fainting",
        r"\b(?:was|woke|found|wake|esta|estaba|tirad[oa])\b.{0,12}\b(?:on|en) (?:the |el "
        r"|my )?(?:bathroom |kitchen |bedroom )?(?:floor|ground|patio|piso|suelo)\b"
        r"|\bdon'?t remember (?:in between|falling|how i got)|\bdesma[yl]\w*|\bdesvanec\w*",
    ),
    (
        "seizure",
        r"\b(?:my|his|her|of my|two|three) fits\b|\bbit (?:thru|through)\b|\bespuma en la (?:boca"
        r"|voca)|\bdando un ataque\b|\btieso\b|\bfoam\w* at the mouth",
    ),
    (
        "unresponsive",
        r"\b(?:can'?t|cant|cannot|couldn'?t) get (?:my |him|her|them)?\w* ?\w* ?to wake\b|\b(?:wont"
        r"|won'?t|doesn'?t|not|barely|hardly) (?:answer|answers|answering|respond\w*)(?: (?:me|us|him"
        r"|her))?\b(?! (?:my (?:call|text|message)|the phone|phone))|\bno (?:contesta|me contesta"
        r"|reacciona)\b",
    ),
    (
        "fever",
        r"\b(?:burning up|ardiendo)\b|\b(?:weeks?|wks?|month|months|dias|semanas) old\b.{0,20}\bfever"
        r"|\b(?:baby|newborn|infant|bebe)\b.{0,30}\b(?:fever|fiebre|limp|won'?t feed|wont feed)|\b(?:cold"
        r"|clammy)\b.{0,15}\b(?:blotchy|clammy|barely|mottled)|\bdoesn'?t know (?:my|his|her|where|who)\b",
    ),
    (
        "heart rate",
        r"\b(?:pulse|pulso|bpm|hr|heart ?rate|rhythm)\b.{0,14}?(?<![\d/.])(?:[23]\d"
        r"|4[0-2])(?![\d/.%])(?! ?(?:mg|mcg|min|days?|pills?|years?|am|pm))|\bheart (?:keeps "
        r"|kept )?(?:stopp?in|stopping|skipping)\b.{0,10}\b(?:n|and)\b|\bbrincos en el corazon",
    ),
    (
        "blood pressure",
        r"(?<!\d)(?:1[89]\d|2[0-5]\d) (?:con|x) ?\d{2,3}(?!\d)"
        r"|(?<![\d/])[4-7]\d ?/ ?[2-4]\d(?![\d/])(?! ?(?:mg|units?|insulin))",
    ),
    ("potassium", r"\b(?:potassium|potasium|potasio|k level)\b.{0,20}?(?<![\d.])(?:[67]\.\d|[12]\.\d)(?!\d)"),
    (
        "sugar",
        r"\b(?:aparato|medidor|glucometro|meter)\b.{0,15}\b(?:hi|high|alto|lo)\b|\bacetona?e?\b"
        r"|\bfruity breath\b|\b(?:60|50|80|100) en (?:lugar|vez) de \d",
    ),
    (
        "allergy",
        r"\b(?:lengua|garganta|labios?|cara|boca)\b.{0,25}\binch\w*|\binch\w*\b.{0,25}\b(?:lengua"
        r"|garganta|labios?|cara|boca)",
    ),
    # A third look, from a writer who had not seen the first two.
    (
        "self-harm",
        r"\bme quiero (?:matar|morir|ir de este mundo)\b|\bquiero (?:matarme|morirme)\b"
        r"|\bya me hubiera matado\b",
    ),
    (
        "self-harm",
        r"\b(?:no ?(?:one|body)|nobody) would (?:miss|notice|care)\b|\b(?:better|easier"
        r"|fine) (?:off )?without me\b",
    ),
    (
        "self-harm",
        r"\bhave it easier if\b|\bif i (?:was|were|just wasn'?t|wasn'?t) (?:gone|around|dead)\b"
        r"|\bending it tonight\b",
    ),
    (
        "self-harm",
        r"\bno longer (?:wish|want) to (?:be alive|live)\b|\bchecking out for good\b|\blethal dose\b"
        r"|\bi have a plan this time\b",
    ),
    (
        "self-harm",
        r"\b(?:just )?wish i could (?:just )?(?:disappear|die)\b|\bhanging in the garage\b"
        r"|\bto finish this\b",
    ),
    (
        "self-harm",
        r"\bseguir viviendo\b|\bno (?:volver a|quiero) despertar\b|\bno amanecer\b"
        r"|\bno le veo sentido a nada\b",
    ),
    (
        "self-harm",
        r"\bdeje de doler,? adios\b|\bnadie me necesita\b|\bpills lined up\b|\bme haga dano\b"
        r"|\b(?:shoot|hang|drown) (?:him|her)self\b",
    ),
    (
        "self-harm",
        r"\b(?:might|will|want to|going to) (?:hurt|harm|shake) my (?:baby|kids?|child(?:ren)?|son"
        r"|daughter)\b",
    ),
    (
        "chest",
        r"\b(?:grabbing|clutching|holding) (?:his|her|my) chest\b|\bcharley horse in my chest\b"
        r"|\bstanding on (?:it|my chest)\b",
    ),
    (
        "chest",
        r"\bchest\b.{0,40}\b(?:squeez\w*|standing on)\b|\bpecho\b.{0,30}\b(?:piedra|peso)\b"
        r"|\b(?:piedra|peso enorme|punzada)\b.{0,15}\bpecho\b",
    ),
    (
        "chest",
        r"\bdoliendo el (?:pecho|corazon)\b|\bduele el corazon\b|\bshoulder blades?\b.{0,30}\b(?:jaw"
        r"|sweat\w*)\b",
    ),
    (
        "breathing",
        r"\b(?:pulse ox|oximet\w*|oxygen|saturacion|o2|sat(?:s)?)\b.{0,14}(?<!\d)(?:[5-7]\d"
        r"|8[0-8])(?!\d)|\b(?:sat|sats) at \d\d%",
    ),
    (
        "breathing",
        r"\bhunden las costillas\b|\bribs suck\b|\bbelly breathing\b|\bshort on air\b"
        r"|\bthrough a straw\b|\bwheez\w*\b.{0,40}\b(?:so bad|aren'?t working|not working)\b",
    ),
    ("breathing", r"\bcnt breth\b|\bsin poder respirar\b|\batragant\w+\b|\bchoking on\b"),
    (
        "stroke",
        r"\b(?:shade|curtain|shadow)\b.{0,25}\beye\b|\beye\b.{0,25}\b(?:black|blind)\b"
        r"|\bborro la vista\b|\blost feeling in\b",
    ),
    (
        "stroke",
        r"\bmouth (?:is )?crook\w*\b|\bdrool\w*\b.{0,30}\b(?:corner|smile|side)\b"
        r"|\bcae la baba\b|\bmover medio lado\b|\bhablo como borracho\b",
    ),
    (
        "stroke",
        r"\bno puedo (?:levantar|mover) (?:el|la|mi) (?:brazo|pierna|mano)\b|\bcan'?t feel my (?:legs?"
        r"|arms?|left|right|face)\b",
    ),
    (
        "seizure",
        r"\bgrand mals?\b|\bconvulsiono\b|\bcombulsion\w*|\bsez\w{0,2}ires?\b|\bsei?zed up\b"
        r"|\bsiezed up\b|\bseizure (?:won'?t|wont) stop\b|\bdan los ataques\b|\bojos en blanco\b"
        r"|\bpuso ties[ao]\b",
    ),
    (
        "bleeding",
        r"\bbled through\b|\bblood gushing\b|\bgushing blood\b|\bcafe molido\b|\bcoffee grounds?\b"
        r"|\bcan'?t get (?:this|the) (?:cut|bleeding) to stop\b|\bcant get (?:this|the) (?:cut"
        r"|bleeding) to stop\b|\bblack sticky\b",
    ),
    ("fainting", r"\bout for a minute\b|\bsoponcio\b|\bno supe de mi\b|\bnext thing i kn[oe]w\b"),
    (
        "allergy",
        r"\bepi ?-?pen(?:ed|ned)? (?:myself|tonight|hace|an hour|ago)\b|\bepi ?-?pen\b.{0,25}\b(?:hour"
        r"|minutes?|tonight|hace|today)\b|\b(?:used|stick myself with|use|usado) (?:the|el|my|mi) epi"
        r"|\banaphyla\w*",
    ),
    ("allergy", r"\blengua grandota\b|\bto[un]+ge? feels (?:fat|thick|big)\b|\blip is the size\b|\bvoice is going\b"),
    (
        "overdose",
        r"\bdays?' worth of\b.{0,20}\btoday\b|\b(?:whole|entire) week of (?:pills|meds)\b|\b10x the\b"
        r"|\bdrank\b.{0,25}\bbleach\b|\bbleach in (?:both|my) eyes?\b|\bunknown amount of\b",
    ),
    (
        "overdose",
        r"\bswallowed a (?:whole )?bottle\b|\bmixed up my pens\b|\bnight pills twice\b"
        r"|\bse comieron varias\b|\bme tome \d+ (?:clonazepam|pastillas|alprazolam|xanax)\b",
    ),
    (
        "withdrawal",
        r"\b(?:stopped|quit|ran out of|off) (?:my )?(?:drinking|xanax|klonopin|ativan|alcohol"
        r"|methadone|benzos?|clonazepam|alprazolam)\b.{0,60}\b(?:shak\w*|seeing|hallucinat\w*|sweat\w*)",
    ),
    (
        "worst pain",
        r"\bworst of my life\b|\bclap of thunder\b|\bsevere abdominal pain\b|\bworst belly pain\b"
        r"|\bripping pain\b|\bdolor fuertisimo\b|\bcan'?t stand up straight\b",
    ),
    ("spine", r"\blost control of my (?:bladder|bowels?)\b|\bpeeing myself\b.{0,30}\bnumb\b|\bcan'?t pee at all\b"),
    ("sugar", r"\bketones?\b.{0,30}\b(?:purple|large|high|moderate)\b|\bmarca hi\b"),
    (
        "pregnancy",
        r"\b(?:haven'?t|havent|not|no) (?:felt|feeling|feel)\b.{0,10}\bbaby\b"
        r"|\bno movement from the baby\b|\bbaby (?:isn'?t|not|stopped) (?:moving|kicking)\b"
        r"|\bwater broke\b|\bcontractions every\b|\b\d\d weeks\b.{0,40}\b(?:seeing spots|puffy|bleeding)\b",
    ),
    (
        "fever",
        r"\b(?:chemo|newborn|\d weeks?)\b.{0,20}\b(?:temp|fever)\b.{0,8}\b10[0-7]"
        r"|\bbebe de un mes\b.{0,20}\b(?:calentura|fiebre)\b|\bred streak\b",
    ),
    (
        "violence",
        r"\bmy ex (?:is outside|broke in)\b|\bhands around my (?:throat|neck)\b|\bcon un cuchillo\b"
        r"|\boutside with a gun\b",
    ),
    (
        "poison",
        r"\b(?:copperhead|rattlesnake|rattler|black widow|alacran|scorpion)\b|\bsnake ?bite\b"
        r"|\bbit(?:ten)? by a snake\b",
    ),
    ("clot", r"\bleg'?s? (?:is )?(?:twice the size|swollen like)\b|\bhot swollen leg\b"),
    ("heart rate", r"\b(?:heart ?beat|heartbeat)\b.{0,6}(?<!\d)(?:[23]\d|4[0-4])(?!\d)|\bmile a minute\b"),
    ("blood pressure", r"\b(?:top number|presion)\b.{0,5}(?<!\d)(?:19\d|2[0-5]\d|1[89]/1\d)(?!\d)"),
    ("dying", r"\bcreo que me voy a morir\b|\bi think i(?:'?m| am) dying\b"),
    ("priapism", r"\berection (?:for|lasting) (?:[4-9]|\d\d|four|five|six) h"),
)

# Manners of speaking that are none of these; blotted out before signs are looked for.
NOT_MEANT = (
    r"\b(?:about|almost|nearly|practically|just|like to|liked to) (?:had|have|gave me|died of|died from|got) (?:a"
    r" )?(?:heart attack|stroke|embarrass\w*|laughing|shock)\b"
    r"|\bheart attack (?:when|at) (?:i saw|the (?:price|bill|cost))|\bdying (?:to|for) (?:see|know|try|meet|hear|get"
    r"|a (?:vacation|coffee))"
    r"|\bto die for\b|\bme muero de (?:pena|risa|hambre|ganas|verguenza|calor|frio|sed|sueno)\b|\b(?:traffic|heat"
    r"|price|job|boss|weather|commute|wait) (?:is|are) killing me"
    r"|\b(?:phone|battery|car|laptop|tablet|computer|cell|truck|ipad|celular|bateria)\b.{0,20}\b(?:died|dying|die"
    r"|dead|dies|muert\w+|muriendo)\b|\bdead (?:phone|battery|end|serious|tired|line)"
    r"|\b(?:no|not|not an|isn'?t an|non|nonurgent|non-) ?emergenc\w+|\bno es (?:una )?emergencia"
    r"|\bblood (?:(?:sugar|glucose)\b(?!.{0,12}\d)|work|test"
    r"|tests|draw|pressure|thinners?|type|bank|donat\w+|meter)\b"
    r"|\b(?:examen(?:es)?|prueba|pruebas|analisis|muestra|hicieron|sacaron|sacar|sacarme|trabajo|resultados) (?:de"
    r" )?(?:la )?sangre\b"
    r"|\b(?:presion|azucar) (?:de|en) (?:la )?sangre\b|\b(?:strokes?|heart attacks?|infarto"
    r"|derrame|seizures?|convulsion\w*|hives|ambulancia)\b.{0,12}\b(?:in |en |of |back in |de )?(?:19"
    r"|20)\d\d\b|\ben (?:19|20)\d\d\b.{0,15}\b(?:infarto|derrame)|\bstroke (?:prevention|risk|support"
    r"|group|awareness)|\b(?:prevent|prevention of) (?:a )?strokes?\b"
    r"|\bgiv\w+ me (?:a )?heart attacks?|\bsuicide[- ](?:prevention|loss|hotline|awareness)\b"
    r"|\bpoison control number|\bnarcan se vende|\b(?:no|without|denies|sin) (?:chest pain|bleeding"
    r"|trouble breathing|shortness of breath|seizures?|fainting|dolor de pecho)\b|\bpoison (?:ivy|oak"
    r"|sumac)\b|\bfainting goat\b|\bsangre de"
    r" cristo\b|\bchest cold\b|\b(?:traffic|heat|pollen|winter|boss|job|commute)\b.{0,20}\bkilling me\b|\bchest"
    r" (?:street|hill|road|ave)\b|\bheart of"
    r" (?:texas|the)\b|\bovernight\b|\bsagrado corazon\b|\bsacred heart\b"
)
