"""Courtesies, wishes and small talk as whole phrases, in English and Spanish, over folded text.

Phrases only where single words could mean something else ("no rush", "don't worry"). Words that are harmless in any
sentence are in the everyday list instead.
"""

from __future__ import annotations

COURTESY: tuple[str, ...] = (
    r"\bno (?:big )?(?:rush|hurry|worries|worry|problem|problemo|biggie|pressure|prisa|stress|urgency|hay prisa"
    r"|corre prisa"
    r"|hay apuro|hay problema|te apures|se apure|se apuren|se preocupe|need to (?:rush|hurry|call(?: back)?|reply"
    r"|respond"
    r"|write back|worry))(?: (?:at all|on this|on it|if you'?re busy|ok|whenever))?\b",
    r"\b(?:not|isn'?t|is not|it'?s not) (?:a rush|urgent|an emergency|in a (?:rush|hurry)|a big (?:deal|rush))\b",
    r"\b(?:don'?t|dont|do not) (?:need to )?(?:rush|hurry|worry)\b(?: (?:about it|yourself|too much))?",
    r"\bsin (?:prisa|apuro|problema|falta|mas por el momento|mas que agregar)s?\b",
    r"\bno (?:es|corre|hay|tengo|me) (?:urgente|urgencia|prisa|apuro|urge)\b",
    r"\b(?:sorry|apologies|perdon\w*|disculp\w*|excuse me|lo siento|forgive me)(?: (?:to|for|about|that|por|que|i"
    r"|la|las|el|los|"
    r"if|such|a|the|short|bother\w*|bug\w*|molest\w*|you|u|guys|again|late|hour|typos?|spelling|weekend|sunday"
    r"|holiday"
    r"|this|lo|le|escrib\w+|en|domingo|sabado|hora|noche|text\w*|on|your|day off|tan|temprano|dictat\w+|phone|my"
    r"|short))*\b",
    r"\bhow (?:are|r|is|was) (?:you|u|y'?all|yall|everyone|everybody|things|the (?:family|weather|office))\b"
    r"(?: (?:guys|all|doing|today|there))*",
    r"\bcomo (?:esta|estan|le va|les va|ha estado)(?: (?:usted|ustedes|todo|todos|hoy|doctor|doctora|dr|dra))*\b",
    r"\b(?:have|having|enjoy|ten|tenga|tengan|que tenga|que tengan|que pase|que pasen|pase|pasen|feliz|happy"
    r"|merry|buen|"
    r"bonito|bonita|lindo|linda|excelente)(?: (?:an?|un|una|the|your|rest of|su|el|la|los|resto|de|del|muy))*"
    r" (?:good|great|nice|wonderful|lovely|blessed|safe|fantastic|awesome|beautiful|terrific|amazing|relaxing"
    r"|buen|buena"
    r"|lindo|linda|bonito|bonita|excelente|feliz|happy)?\s?(?:day|one|evening|weekend|night|week|afternoon"
    r"|morning|holiday"
    r"|holidays|season|monday|tuesday|wednesday|thursday|friday|saturday|sunday|thanksgiving|christmas|easter|new"
    r" year"
    r"|fourth|4th|mother'?s day|father'?s day|halloween|valentine'?s(?: day)?|st patrick'?s(?: day)?|dia|tarde"
    r"|noche"
    r"|semana|fin de semana|ano(?: nuevo)?|navidad|pascuas?|domingo|lunes|viernes|summer|fall|spring|winter|jueves"
    r"|martes|miercoles|sabado|vacaciones)(?: (?:too|ahead|off|everyone|all|y'?all|to all|a todos|de las madres"
    r"|del padre|"
    r"atrasado|of (?:your|the) (?:day|week)|there|and (?:god )?bless|everybody))*\b",
    r"\bas soon as (?:you|u|possible|ya|y'?all|the (?:doctor|office)|he|she|someone)(?: (?:can|are able|get (?:a"
    r"|the) chance|"
    r"possibly can|could|possible|able|gets? (?:a|the) (?:chance|minute)))*\b",
    r"\b(?:at|in) (?:your|ur) (?:earliest |own )?(?:convenience|leisure|pace|good time)\b",
    r"\b(?:when|whenever|anytime|any time|once|while|cuando) (?:ever )?(?:you|u|y'?all|ya|you'?re|ur|your|the"
    r" (?:doctor|office)|"
    r"it'?s|someone|time)\b(?: (?:guys|all|have|get|gets|got|are|is|can|could|a|the|some|chance|moment|minute"
    r"|time|second"
    r"|sec|free|able|open|back|in|convenient|allows?|permits?|at|it|today|tomorrow|office|next|around|to it))*",
    r"\bcuando (?:pueda|puedan|puedas|tenga|tengan|gusten?|guste|abran|abra|le sea posible|se pueda|haya|tengas?)\b"
    r"(?: (?:un|una|tiempo|chance|chanza|ratito|rato|tiempito|oportunidad|la oportunidad|usted|ustedes|por"
    r" favor))*",
    r"\b(?:tan |lo mas )?pronto (?:como )?(?:posible|pueda|puedan|sea posible)\b",
    r"\blo antes posible\b|\ben cuanto (?:pueda|puedan|se pueda)\b",
    r"\b(?:if|si) (?:it'?s |it is |that'?s |that is |its |you |u |all |y'?all |es |fuera |at all |not too |se |me"
    r" |usted |le )*"
    r"(?:possible|posible|ok|okay|fine|alright|all right|can|could|would|don'?t mind|dont mind|please|pudiera\w*"
    r"|puede\w*"
    r"|podria\w*|no es (?:mucha )?molestia|gusta|me hace el favor|hace el favor|have (?:a|the) (?:chance|minute"
    r"|moment|"
    r"time)|get (?:a|the) chance|so kind|be so kind|able|wouldn'?t mind|would be so kind)\b(?: (?:please|to|with"
    r" you|then))?",
    r"\b(?:would|wud|do) (?:you|u) (?:mind|be able to|be so kind(?: as to| and)?|be kind enough to|please"
    r"|kindly)\b",
    r"\b(?:would it|is it|will it|sera|seria|es|could it|is|it is) (?:be )?(?:possible|posible)(?: (?:to|for|that"
    r"|que|you))*\b",
    r"\b(?:i )?(?:was |am |i'm |im |were |be )?(?:just |only )?(?:wondering|hoping|asking|writing|messaging"
    r"|texting|reaching"
    r" out|checking|seeing|requesting|calling|following the instructions)(?: (?:to|to see|to ask|in|today|you"
    r"|because|"
    r"about|for|regarding|re))?(?: (?:if|whether|to|for))?(?: (?:i|you|we|u|y'?all|dr|doctor|the doctor|the"
    r" office))?"
    r"(?: (?:can|could|may|might|would))?(?: (?:please|kindly|get|have|send|call in|refill|request|be able to))*"
    r"(?! (?:take|increase|change|stop|double|lower|try|start|skip|on|up on|in on|about))\b",
    r"\blet me know (?:when|if|once|that) (?:it'?s|it is|its|that'?s|they'?re|you|there'?s|ready|sent|done|this"
    r" is|i|anything"
    r"|u|this)(?: (?:is|are|has been|have|anything|need|ready|sent|done|you|more|else|from me|can|could|goes"
    r" through|got"
    r"|it|this|works?|further|info|information|any|questions|in|for me|me|to know|that|went through|u))*\b",
    r"\b(?:that'?s|that is|that will be|it'?s|this is|thats|eso es|es) (?:all|it|todo)\b"
    r"(?: (?:for (?:now|today|me)|i need|i needed|folks|por (?:hoy|ahora|el momento)))*",
    r"\bthank(?:s|z| you| u|ful)?(?: (?:you|u|so|very|much|a|again|in advance|bunch|ton|lot|million|kindly|y'?all"
    r"|yall|guys"
    r"|ahead of time|everyone|always|as always|for|your|all|the|everything|time|help|do|what|taking|care|of|me"
    r"|being|great|"
    r"best|quick|looking|into|this|assistance|service|kindness|patience|hard work|prompt|attention|response|doing"
    r"|and))*\b",
    r"\b(?:muchas |muchisimas |mil |mucha |un millon de )?gracia(?:s)*(?: (?:por|su|sus|todo|toda|la|el|ayuda"
    r"|atencion|"
    r"adelantad\w+|anticipad\w+|de antemano|igualmente|tiempo|apoyo|y|a|usted|ustedes|doctor|doctora|mi amor|doc|"
    r"siempre|amabilidad|paciencia|servicio))*\b",
    r"\b(?:much |really |greatly |sure |would |i'?d |i |so )*appreciat\w*(?: (?:it|you|that|this|your|all|y'?all"
    r"|everything"
    r"|the|help|time|if you could))*\b",
    r"\b(?:god|lord|jesus|dios|que dios)(?: (?:bless|be with|me|te|lo|la|los|las|le|les|se|bendiga|bendice|pague"
    r"|cuide"
    r"|guarde|bendigas?))+(?: (?:you|u|y'?all|yall|all|a todos|hoy y siempre|siempre|mucho|doctor|doctora))*\b",
    r"\b(?:my |the |la |mi )?(?:pharmacy|pharmacist|pharmacists|farmacia|farmaceutico|farmaceutica|drug ?store"
    r"|they|cvs"
    r"|walgreens|walmart|bottle|label|app|botella|frasco|it)(?: \w+)? (?:just |also |said|says|say"
    r"|saying|told|tells|"
    r"asked|ask|is asking|needs|need|wants|want|dice|dicen|dijo|dijeron|me dijo|me dice|me dicen|me dijeron"
    r"|informed|"
    r"is saying|is telling|requires|require|advised|suggested|mentioned|me)+(?: (?:that|to|me|i|we|us|you|they|he"
    r"|she|need|needs"
    r"|have|has|contact|call|ask|get|message|text|write|your|the|my|a|an|office|doctor|dr|provider|for|new|fresh"
    r"|updated|"
    r"prescription|rx|script|approval|authorization|ok|okay|permission|more|refills?|it|this|on|from|of|reach out"
    r"|out|"
    r"go through|check with|que|le|les|la|los|lo|escriba|escribiera|escribir|llame|llamara|llamar|pida|pidiera"
    r"|pedir|a|"
    r"usted|ustedes|oficina|consultorio|clinica|una|nueva|receta|necesito|necesita|necesitan|autorizacion|para|con|"
    r"contacte|contactara|comunique|comunicara|comunicarme|su|al|mi|write|them|first|needed|no"
    r" more|"
    r"refil|no|there are|there'?s|is|are))*\b",
    r"\b(?:same|usual|current|regular|misma|mismo)(?: old)? (?:dose|dosage|strength|pharmacy|place|one|ones"
    r"|farmacia|dosis"
    r"|lugar|as (?:before|last time|always|usual|ever)|de siempre|que siempre|amount|location|spot|store"
    r"|drugstore)\b"
    r"(?: (?:as|like|de|que) (?:always|before|usual|ever|last time|siempre))?",
    r"\b(?:same|igual|lo mismo|la misma|el mismo)(?: \w+)? (?:as|que|de) (?:before|last time|always|usual|ever"
    r"|siempre|antes)\b",
    r"\b(?:like|as|just like|como) (?:always|usual|before|last time|siempre)\b",
    r"\b(?:a |my |una |the )?(?:new|fresh|nueva) (?:rx|prescription|script|receta)s?\b",
    r"\b(?:i'm|im|i am|we are|its|it'?s|is|it is|that)? ?(?:about |due |time |up |almost time |getting close )+for "
    r"(?:a|my|its|the|another|more)?(?: (?:monthly|next|usual))? ?(?:refill|renewal)s?\b",
    r"\btake care\b|\bcuidese\b|\bcuidense\b|\bpick (?:it|them|this|that|these)? ?up\b|\b(?:please )?make sure\b",
    r"\b(?:lo|la|los|las)? ?(?:paso|recojo|busco|voy a recoger|voy a buscar|paso a recoger|paso por|lo recojo)"
    r"(?: (?:a|por|lo|la|el|en|hoy|manana|recoger\w*))*\b",
    r"\bcall(?:ed|ing)? (?:it |this |that |them |these |my \w+ )?in\b|\bsend (?:it |this |that |them |these"
    r" )?(?:over|in"
    r"|through|off|on over)\b|\bsent (?:over|in|to|through|off)\b|\bput (?:it |this |them |that |me )?(?:through"
    r"|in|down)\b",
    r"\bget(?:ting)? (?:it |this |that |them |these |my \w+ )?(?:filled|refilled|renewed)\b",
    r"\b(?:need|like|want|have|get|both|these|them|it|all three|both of them|all of these) (?:re)?filled\b",
    r"\bhelp me(?: (?:out|please|with|get))*\b|\b(?:help|assist)(?: me)? (?:with|getting|please)\b"
    r"|\bayud(?:a|e|en)(?:me|rme)? (?:con|a)\b|\b(?:me )?(?:puede|pueden|podria|podrian) ayudar(?:me)?(?: con)?\b"
    r"|\b(?:any|your) help (?:is|would be|with)\b",
    r"\bi(?:'d| would|d) (?:like|appreciate|love)(?: to| it| if you could)?\b",
    r"\b(?:al final|por favor\w*|porfi\w*|porfa\w*|hazme el favor|hagame el favor|me hace(?: usted)? (?:el|un)"
    r" favor"
    r"|si me hace el favor)(?: de)?\b",
    r"\bi use (?:the )?(?=cvs|walgreens|walmart|rite aid|costco|publix|kroger)",
    r"\b(?:by|within|on|before|this|sometime) (?:the )?(?:next |this |end of )*(?:\d{1,2}"
    r" (?:days?"
    r"|weeks?)|a few days|a couple(?: of)? days|a week|today|tomorrow|tonight|monday|tuesday|wednesday|thursday"
    r"|friday"
    r"|saturday|sunday|the weekend|weekend|week|month|(?:the )?(?:day|week|month))\b(?: (?:is (?:fine|ok|good"
    r"|great)|"
    r"works|would be (?:great|fine|good)|or so|at the latest))*",
    r"\b(?:weekend|today|tomorrow|monday|tuesday|wednesday|thursday|friday|either way|whenever|anytime|any day"
    r"|that'?s|thats"
    r"|kroger|cvs|walgreens) (?:is|works|would be|will be) (?:fine|ok|okay|good|great|perfect|best|totally fine)\b",
    r"\btold me to (?:contact|call|message|text|ask|write)(?: (?:you|your|the|office|doctor|dr|guys|y'?all))*\b",
    r"\b(?:lol|haha\w*|hehe\w*|jaja\w*|ha|lmao|oops|ok|okay|smiles|xoxo|xo)\b",
    r"\bgo (?:cowboys|dodgers|chiefs|dawgs|bulldogs|vols|tigers|eagles|bears|packers|broncos|lakers|astros"
    r"|yankees|mets|cubs"
    r"|bills|huskers|buckeyes|hogs|gators|noles|heels|blue|braves|rangers|spurs|team|navy|army|longhorns|steelers"
    r"|niners)\b",
    r"\b(?:hola|oye|oiga|mire|gracias|buenas|saludos|thanks|thank you|buen dia|buenos dias|buenas tardes|hi|hey"
    r"|hello|ay|"
    r"por favor|please|favor)?,? ?(?:mi |mis )?(?:nina|mija|mijo|mijas|mijita|mijito|mijos|amor|reina|cielo|linda"
    r"|lindo"
    r"|querid[oa]s?|preciosa|muchach[oa]s?|ladies|gentlemen|folks|dear|dears|hon|honey|sweetie|darling|sweetheart"
    r"|friend"
    r"|friends|team|guys|gals|crew|my dear|senorita|senito)\b",
    r"\bya (?:sabe\w*|tu sabe\w*|usted sabe|saben|mero|casi|pronto|es hora|me toca|estoy|voy|se)\b",
    r"\b(?:mahalo|much obliged|obliged|aloha|shalom|ciao|merci|namaste|toodles|ta ta|cheerio)\b",
    r"\b(?:so |and )?(?:to |i'?m |i am |i was told to |told me to )?contact(?:ing)? (?:you|u|your office|the"
    r" office|my (?:doctor|dr"
    r"|provider|office|pcp)|the doctor|dr|y'?all)\b",
    r"\b(?:oops|whoops)?,? ?(?:i )?hit send(?: too (?:soon|early|fast))?\b",
    r"\b(?:that'?s |is |here'?s )?what i(?:'m| am)? ?need(?:ing)?\b",
    r"\b(?:that |which |what )?i (?:use|take|am taking|'m taking|am on|currently take|take the|take my)\b(?= [a-z])"
    r"(?! (?:it|them|two|2|more|extra|half|only|one|another|too|less|\d|a|an|some|both|all|not|any|no|too|that"
    r"|this|these"
    r"|him|her|us|care|vacation|this|every|my (?:last|time|wife|husband|mom|dad|son|daughter)))",
    r"\b(?:all|both|these|those|las|los|ambas|ambos)(?: (?:of (?:them|these|those)|the))? (?:two|three|four|five"
    r"|2|3|4|5"
    r"|dos|tres|cuatro)\b(?! (?:pills?|tablets?|times|bottles?|days|weeks|months|pastillas?|veces|dias))",
    r"\b(?:both|ambas|ambos|las dos|los dos)\b(?: (?:of (?:them|these|those)|please|por favor))?",
    r"\b(?:to|for|from|at|of|with|love|bless|you|u|us) all(?: of (?:you|us|y'?all)| (?:of )?(?:you|y'?all)(?:"
    r" do)?| there| here)?\b"
    r"(?! (?:my|the|of my|of the|meds|med|refills|prescriptions|her|his))",
    r"\b(?:these|those|here|following|below) (?:are|is) (?:the )?(?:ones?|list|meds?|medications?|what i need)\b"
    r"(?: (?:that|which|i) (?:are|i|am|is|need|needing|running|out|low))*",
    r"\b(?:the )?(?:diabetes|blood pressure|heart|cholesterol|thyroid|bp|water|stomach|allergy|sleep|pain)"
    r" (?:ones?|pills?)\b"
    r"(?= ?(?:$|[.,!?]))",
    r"\bsince (?:it'?s|it has|it is|the \w+ (?:is|has)|my \w+ (?:is|has)) (?:expired|out|up|run out|ended)\b",
    r"\b(?:raining|pouring) (?:cats and dogs|hard|buckets|here|again|outside|out)\b|\b(?:stay|keep|bundle up|be)"
    r" (?:warm|cool|dry|"
    r"safe|well|blessed|cozy|out there)(?: out there)?\b|\bbundle up\b|\bout there\b",
    r"\b(?:new to|getting used to|not good at|bad at|still learning) (?:this |the )?(?:texting|app|portal|phone"
    r"|thing|messaging)"
    r"(?: thing)?\b|\bnew phone(?: so| who dis)?\b|\bhope (?:it|this) (?:goes|went|gets) (?:thru|through)(?:"
    r" ok(?:ay)?)?\b",
    r"\b(?:is|it'?s) (?:fighting|hating|killing) me(?= lol| haha| ha\b)",
    r"\b(?:i |we )?(?:meant|been meaning|keep forgetting|forgot|kept forgetting) to (?:text|message|write|call"
    r"|ask|send|do this)"
    r"(?: (?:you|y'?all|u|this|guys|earlier|sooner|yesterday|monday|last week))*\b",
    r"\b(?:i |probably |sure i )*(?:butcher|misspell|mangl|spelled)\w*(?: (?:that|it|the name|this|wrong|one"
    r"|spelling|name))*\b",
    r"\b(?:whatever|however|not sure how) (?:its|it'?s|it is|you|they) (?:called|spelled|spell it|say it|call"
    r" it)\b",
    r"\b(?:not|no) (?:too |very |that |so )?(?:much|many) left\b|\bno more (?:on file|of (?:it|them)|there)\b",
    r"\b(?:both |all )?(?:at|on) (?:0|zero)(?: refills?)?\b|\brefills?:? ?(?:0|zero|none)\b",
    r"\b(?:i )?(?:have|got) (?:only |just |about )?(?:\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten)"
    r" of each\b",
    r"\banother (?=refill|rx|script|prescription|bottle|month|one\b|renewal|supply)",
    r"\b(?:get|have|send|need) another\b(?= (?:rescue|inhaler|bottle|refill|my|one))",
    r"\b(?:after|before|during|at|off|from) (?:work|church|lunch|school|the game|dinner|supper|my shift|shift"
    r"|class|noon|practice)\b",
    r"\b(?:i'?ve |i have |i )?been (?:a |your |with |coming to |going to |seeing |here |patients? |of"
    r" )+(?:patients?|the practice|you"
    r"|dr|y'?all|this office|them|here|practice|there|since)?\b(?: (?:of|for|since|with|to|close|about|over"
    r"|almost|nearly|\d{1,4}"
    r"|dr|many|years?|the|a|long|time|decades?|yrs?|now))*",
    r"\b(?:this is |it'?s )?(?:the |my )?first time (?:i'?ve |i |i'm )?(?:used?|using|texting|writing|messaging"
    r"|doing|tried)"
    r"(?: (?:the|this|your|app|portal|texting|thing|way|texted|it))*\b",
    r"\b(?:where|the one|the place|which) i(?:'ve)? (?:always |usually )?(?:use|used|go|get it|pick up)\b",
    r"\b(?:i|we) (?:always|usually) (?:use|used|go|go to|get it)(?: at| to| there)?\b",
    r"\bon file\b|\btaken as (?:prescribed|directed)\b|\bas (?:prescribed|directed)\b",
    r"\bi work (?:nights?|days|weekends|late|tomorrow|today|there|until|till|a lot|mornings|evenings|overnights)\b",
    r"\b(?:up|down|over|out) (?:here|there)\b|\bstop by\b|\bswing by\b|\bclose to\b|\b(?:get|got) a ?hold of\b",
    r"\b(?:for|over|almost|close to|about) \d{1,2} (?:years|yrs)\b(?! of age| old)",
    r"\b(?:hace|desde hace) (?:muchos |varios |\d{1,2} )?anos (?:que )?(?:soy|somos|voy)\b",
    r"\bdollar general (?:don'?t|doesn'?t) (?:do|fill|have)\b",
    r"\bpa (?=la\b|el\b|que\b|los\b|las\b|mi\b|mis\b|pedir|tres\b|dos\b|una?\b|ver\b|surtir|resurtir|renovar"
    r"|hoy\b|manana\b)",
    r"\b(?:i |you |one |they |it )?should (?:contact|message|text|write|ask|reach|call|let|be (?:ok|fine|good))\b",
    r"\b(?:so|too|this|the|it'?s|for) late\b(?: (?:msg|message|text|hour|notice|reply|note))?|\blate (?:msg"
    r"|message|text|hour)\b",
    r"\bsent from (?:my|the)\b|\bbeing (?:re)?(?:filled|sent|renewed|refilled)\b|\b(?:is|are|was|be) sent\b",
    r"\b(?:start(?:ing)?|opening|open|empiezo|empece|comenzando|abri) (?:my |the |mi |la |el )?(?:last|ultim[oa])"
    r" (?:row|pack|week|bottle|box|"
    r"strip|one|pen|semana|caja|frasco|tira|paquete)\b(?: (?:now|today|tomorrow|hoy|manana))?",
    r"\b(?:ran|run|runs|out|due|need\w*|around|about|on|by) (?:around |about |on |by )?the \d{1,2}(?:st|nd|rd"
    r"|th)?\b(?! ?(?:mg|mcg|ml|floor))",
    r"\b(?:thank you|thanks|bye|thank ya|ty|pill|refill|please|now),? (?:baby|babe|sugar|darlin|darling|hun|hon"
    r"|honey|doll)\b(?= ?[.,!?]| ?$)",
    r"\b(?:stupid|dumb|darn|silly|this) (?:phone|keyboard|autocorrect|app|thing)\b|\bthank ya(?:ll)?\b",
    r"\b(?:god|lord) (?:keep|love|be with) (?:you|ya|y'?all)\b|\b(?:we|you|y'?all|you all|office|yall|u|they)"
    r" (?:are |is |were |'re )?closed\b",
    r"\b(?:send|get|need|have|want|call in|order|do) (?:me |in )?(?:a )?new (?:one|ones|script|rx|prescription"
    r"|refill)\b",
    r"\b(?:it'?s|is|its) me\b|\bforgot to (?:say|mention|add|tell you)\b|\bdrug ?store\b|\b(?:is|are) (?:up"
    r"|due)\b(?= ?[:.,!?]| ?$)",
    r"\b(?:de nuevo|nuevamente|otra vez|una vez mas|toda vez que|por medio de la presente|de la manera mas atenta"
    r"|quedo de usted"
    r"|me despido|sin mas por el momento|un abrazo|a sus ordenes|para servirle|todavia tengo|ya casi|casi vacio"
    r"|esta vacio)\b",
    r"\b(?:me |nos )?(?:hacen?|haria|harian|hagan?|haga) (?:usted |ustedes )?(?:el|un|favor|ese)(?: (?:favor|gran"
    r" favor))?(?: de)?\b",
    r"\bme (?:la|lo|las|los)? ?(?:mandan?|envian?|surten?|resurten?|piden?|ordenan?|renuevan?|autorizan?)\b",
    r"\b(?:despues|saliendo|cuando salga|al salir) (?:de|del) (?:trabajo|la escuela|misa|la iglesia|mi turno)\b",
    r"\b(?:me |nos |le )?(?:dijeron|dijo|dicen|dice|aviso|avisaron|informaron)(?: (?:en|la|el|que|a|mi|de|del"
    r"|farmacia|cvs|walgreens"
    r"|walmart|ya|no|tiene|tengo|hay|refil\w*|resurtid\w*|autorizacion|necesita|necesitan|falta|faltaba))*\b",
    r"\b(?:la|el|de|del|lo|los|las) (?:mism[oa]s? )?de siempre\b|\bque (?:frio|calor|lluvia|clima|bonito dia"
    r"|lindo dia)\b(?: hoy)?",
    r"\b(?:a |one )?new (?=rescue|inhaler|bottle|tube|pen\b|pens\b|box|pack\b|supply)|\bto whom it may concern\b",
    r"\b(?:las |la |el |los )?mism[ao]s? (?:dosis|de siempre|cantidad|medicina)\b(?: de siempre)?|\bla de"
    r" siempre\b",
    r"\bdo the needful\b|\bkindest regards\b|\bwarm(?:est)? regards\b|\bwith (?:warm |kind |best )?regards\b"
    r"|\bpura vida\b|\bpretty please\b",
    r"\bin good health\b|\bwork (?:was|is|has been|got) (?:nuts|crazy|busy|hectic)\b|\bi (?:was )?fill(?:ed|ing)"
    r" (?:up )?my pill ?box\b|\bpill ?box\b",
    r"\b(?:vaya pues|fijate que|fijese que|pues mire|pues nada|mire usted|de cabecera|a lo que iba|por su"
    r" atencion|por la atencion)\b",
    r"\bver si (?:me|puede|pueden|podria|podrian|usted|es posible)\b|\bquisiera ver\b",
    r"\bper (?:the|my) (?:bottle|label|pharmacy|app|pharmacist)\b|\bgo [a-z]+(?= ?!)|\bpeace be with you\b"
    r"|\b(?:is|are) everywhere\b|\bdr \w+ pt\b",
    r"\bwhoever reads this\b|\bon my account\b|\bto the bottom of the bottle\b|\b(?:on|in) (?:its|it'?s|the|my)"
    r" last (?:few )?(?:puffs|legs|drops|pills|bit)\b",
    r"\bi could (?:really )?use\b|\bi use\b(?! (?:it|them|two|2|more|extra|half|too|every|\d))"
    r"|\b(?:my )?(?:number|address|info|pharmacy) (?:hasn'?t|has not|didn'?t) changed?\b",
    r"\ball of (?:them|em|these|those)\b|\ball (?:the |my )?(?:bp|blood pressure|heart"
    r"|diabetes) (?:stuff|ones|meds)\b",
    r"\b(?:because|since|as|cause|porque|ya que|pues)(?= (?:i |there |it |the |my |i'm |im |i am "
    r"|it's |they |ya |no |se |me |bottle |pharmacy |are |is |have |has |am )*"
    r"(?:no (?:more |longer have )?(?:refills?|hay|tengo|queda)|out\b|almost|nearly|running|low\b"
    r"|expired|on my last|down to|se me|ya no|me queda))",
    r"\bon either(?: one| of them)?\b|\bfor either(?: one)?\b|\bthese (?:ones|meds|medications|medicines"
    r"|prescriptions)\b",
    r"\b(?:nothing|nada) (?:urgent|big|urgente|mas|else)\b|\bnothing left on (?:file|it|the bottle|record)\b",
    r"\b(?:good|have|happy|merry|feliz|blessed|great|wonderful|lovely|fine|nice) (?:\w+ )?(?:to|a) (?:you|y'?all"
    r"|all|todos|us)"
    r"(?: all| too| both)?\b",
    r"\bi see dr\b|\bpatient of(?: dr| doctor)?\b|\bpaciente (?:de|del)(?: la)?(?: dr| dra| doctor| doctora)?\b",
    r"\bdictat(?:ed|ing)\b|\bautocorrect(?: \w+){0,4} (?:lol|haha|ha)\b",
)

# Phrases with room for any words between: harmless only if nothing in them says otherwise (`classify.harmless_spans`).
OPEN: tuple[str, ...] = (
    r"\b(?:hope|hoping|trust|wish|wishing) (?:that )?(?:you|u|all|everyone|everybody|y'?all|yall|your|ur|the|this"
    r"|ya)\b"
    r"[a-z' ]{0,60}?\b(?:well|good|great|nice|fine|ok|okay|wonderful|lovely|blessed|safe|weekend|day|week|morning"
    r"|evening"
    r"|holiday|holidays|summer|winter|vacation|thanksgiving|christmas|easter|storm|year|heat|cool|warm|dry)\b",
    r"\bespero (?:que )?(?:este|esten|se encuentre|se encuentren|tenga|tengan|todo)\b[a-z ]{0,40}?\b(?:bien|dia"
    r"|semana|tarde)\b",
)
