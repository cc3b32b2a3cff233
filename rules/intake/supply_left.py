"""Statements that the supply ends or has ended, in English and Spanish, over folded text: harmless context of an ask.

A gap ("out for a month", "have not taken it since") is not among them: that is a person's.
"""

from __future__ import annotations

_FEW = (
    r"(?:only |just |about |like |maybe |around |exactly |the |my |literally |roughly )*"
    r"(?:\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|an?|a few|a couple(?: of)?|a handful(?: of)?|last"
    r" (?:few|couple|one|two|three|four|five|six|\d{1,2}|row|bit|handful)|last|one or two"
    r"|two or three|couple|few)"
)
_UNIT = (
    r"(?:pills?|tablets?|tabs?|capsules?|caps?|days?(?: worth)?|weeks? worth|days?'? worth|week'?s worth|weeks?"
    r"|doses?|puffs?"
    r"|pens?|patch(?:es)?|vials?|tubes?|bottles?|boxe?s?|packs?|inhalers?|drops?|strips?|ones?|kwikpens?|supply"
    r"|day'?s supply|days? supply|syringes?|injections?|shots?|packets?|sprays?)"
)
_POCOS = (
    r"(?:(?:solo|solamente|nomas|no mas|como|unas?|unos|apenas|las|los|ya|nada mas|pa|para|tan solo|unicamente|casi"
    r"|mis|"
    r"aproximadamente|like|only|solamente) )*(?:\d{1,2}|una?|un|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|pocas?"
    r"|pocos|poquitas?|poquitos?|poco|poquito|ultimas?|ultimos?|par de)"
)
_UNIDAD = (
    r"(?:pastillas?|pastillitas?|pastiyas?|tabletas?|capsulas?|pildoras?|dias?|semanas?|semanitas?|dosis|inhalaciones"
    r"|frascos?|parches?|plumas?|pills?|days?|gotas?|cajas?|sobres?)"
)

SUPPLY_LEFT: tuple[str, ...] = (
    # "I have 3 pills left", "down to one", "only two left", "one cap left", "about a week's worth left"
    rf"\b(?:i )?(?:only |just |still )?(?:have|has|got|have got|i've got|ive got|there (?:are|is)|with|down to|at"
    rf"|on|to|am on|"
    rf"i'm on|im on|i'm down to|im down to|at|having)? ?{_FEW}(?: more)? ?(?:{_UNIT} ?)?(?:of (?:it|them|those"
    rf"|my) )?"
    r"(?:left|remaining|remain|to go)\b(?: (?:in (?:the|my|this) (?:bottle|box|pack|inhaler|pen|container|blister"
    r"|case"
    r"|pill ?box)|in it|of (?:it|them)|over|for (?:the|this) week|now|right now|today))*",
    rf"\b(?:i'?m |im |i am |we are |we're |getting |got |now )?down to {_FEW}(?: {_UNIT})?\b",
    rf"\b(?:have|got|only) (?:only |about |just )?{_FEW} {_UNIT}(?= of (?:my |the )?[a-z-]+(?: \d+ ?(?:mg|mcg))?"
    r" (?:left|remaining))",
    rf"\b(?:i )?(?:am |'m |im |i'm )?on (?:my|the) last (?:{_UNIT}|of it|few|couple|pack|week|bottle|refill)\b",
    r"\b(?:this|that|it|mine)(?:'s| is| was) (?:my|the) last (?:one|pill|bottle|pack|box|pen|week)\b",
    rf"\b(?:my |the )?last (?:one|{_UNIT}) (?:is |will be |was |goes |gone )?(?:today|tonight|tomorrow|this"
    rf" (?:morning|am"
    r"|week|evening)|friday|monday|tuesday|wednesday|thursday|saturday|sunday|sitting|gone)\b",
    r"\bopen(?:ed|ing) (?:my|the) last (?:pen|bottle|box|pack|vial|tube|inhaler|one)(?: (?:this (?:am|morning"
    r"|week)|today"
    r"|yesterday))?\b",
    r"\b(?:use|used|using|finish(?:ed|ing)?|took|take|taking) (?:up )?(?:my|the) last (?:one|pill|of it|pen|dose"
    r"|tablet"
    r"|capsule|pack|bottle|of them)(?: (?:today|tonight|tomorrow|this morning|this am|on \w+day))?\b",
    r"\b(?:still )?(?:have|got|have got) (?:only |about |just )?(?:a|one|two|three|\d{1,2}) (?:good )?(?:week|day"
    r"|month)'?s?'? worth\b",
    r"\b(?:it |pills? |tablets? |drops |medicine |bottle |they |this )?(?:is |are |will |going to |gonna |'ll "
    r"|almost |about to )*"
    r"(?:finish(?:ing|es|ed)?|getting over|be over|be finished) (?:soon|tomorrow|today|tonight|in \d{1,2} days|in"
    r" (?:two|three|four|five) days"
    r"|this week|next week|on \w+day|by \w+day)\b|\b(?:going to|about to|almost|will|nearly) finish(?:ed)?\b"
    r"|\btablets are getting over\b",
    r"\b(?:i )?(?:don'?t|dont) have but (?:\d{1,2}|one|two|three|four|five|a few)(?: left)?\b",
    # "almost out", "running low", "will run out Friday", "about to run out", "out as of today"
    r"\b(?:i )?(?:run|ran|am|i'm|im|'m|will be|be|i'll be|ill be|gonna be|going to be|going to run|gonna run"
    r"|about to be"
    r"|about to run|fixing to be|fixing to run|fixin to be|fixin to run|get|getting|gettin|runnin|running|come"
    r"|comes|is"
    r"|are|it'?s|been|will run|'ll run|i'll run|ill run|close to|near) "
    r"(?:all |completely |almost |totally |nearly |just |pretty |kinda |kind of |fresh |real |really |super "
    r"|quite |very "
    r"|clean |about |awfully |a little |a bit )*(?:out|low|running out|running low)\b(?: (?:of|on|in))?"
    r"(?: (?:as of )?(?:today|tonight|tomorrow|now|soon|this (?:week|weekend)|next week|in (?:a|\d|two|three|a"
    r" few|a couple"
    r"(?: of)?) (?:days?|weeks?)|(?:on |by )?(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)(?:"
    r" (?:night"
    r"|morning|evening))?))?",
    r"\b(?:almost|nearly|about|just about|practically|completely|all|basically|pretty much) (?:gone|finished|done"
    r"|empty"
    r"|through|finish|used up)\b",
    r"\b(?:is|are|it'?s|bottle'?s|tube'?s|box is|pen is|now) (?:almost |nearly |about |just about |completely "
    r"|all |"
    r"pretty much |getting )*(?:empty|gone|light|squeezed flat|finished)\b",
    r"\bempty bottle\b",
    r"\benough (?:for|until|till|to (?:last|get me)(?: through| to| until| till)*) (?:the |this )?(?:end of the"
    r" )?(?:week"
    r"|weekend|month|monday|tuesday|wednesday|thursday|friday|saturday|sunday|tomorrow|next week|\w+ (?:more"
    r" )?days?)\b",
    # "no refills left", "none left", "my bottle says 0 refills", "it says no more refills"
    r"\b(?:i )?(?:have|has|got|there (?:are|is)|with|are|is|says?|shows?|showing|saying|show|at)?\s?(?:i (?:have"
    r"|got) )?"
    r"(?:no|zero|0|none) (?:more )?(?:refills?|refil|fills?|pills|tablets|repeats)?(?: (?:left|remaining|on (?:it"
    r"|file|"
    r"the (?:bottle|label)|this)|remain|available|now|anymore|for (?:it|this|them)))+\b",
    r"\b(?:(?:it|bottle|label|app|that|this|which|they|i) )?(?:says?|shows?|showing|has|have|at|with|got|there"
    r" (?:are|is)"
    r"|there's)? ?(?:no|zero|0) (?:more )?(?:refills?|pills|tablets|repeats|fills)\b",
    r"\b(?:it |bottle |label |the bottle |my bottle )?(?:says?|shows?) (?:none|zero|0|no more|empty)\b(?: left|"
    r" remaining)?",
    r"\b(?:do not|don'?t|dont|did not|didn'?t) have (?:any|anymore|any more)(?: (?:more|refills?|pills|tablets|left"
    r"|remaining))+\b",
    r"\brefills? (?:have |has |are |is )?(?:all )?(?:expired|run out|ran out|used up|gone|out|done|up|exhausted)\b",
    r"\b(?:out of|used (?:up )?(?:all )?(?:my|the)|used my last) refills?\b",
    r"\b(?:the |my |mi |la )?(?:prescription|script|rx|receta) (?:has |is |just |ya )*(?:expired|up|ran out|run"
    r" out|vencio"
    r"|se vencio|caduco)\b",
    r"\b(?:it |that |the last |mine |this )?(?:was|is) (?:my|the) last refill\b",
    # Spanish
    r"\b(?:ando|estoy) (?:escas[oa]|cort[oa]|cortit[oa]|baj[oa]) (?:de|con)\b|\bme (?:faltan?|hacen? falta)\b",
    r"\b(?:ya )?(?:voy|ando|estoy) en (?:lo|el|la|los|las) ultim\w+\b|\bya abri (?:mi|la|el) ultim\w+ (?:pluma"
    r"|frasco|caja|bote)\b|\bme tome la ultima(?: hoy| ayer)?\b",
    rf"\b(?:me |nos |le |ya )?(?:quedan?|restan?|sobran?|tengo) (?:como |solo |solamente )?(?:pa |para )?{_POCOS}"
    rf"(?: {_UNIDAD})?(?: (?:mas|nomas|na mas|nada mas|en el contador|en el frasco|no mas|solamente|left|de"
    rf" pastillas"
    r"|de medicina))*\b",
    r"\bme queda(?:n)? (?:(?:muy|bien|ya) )*(?:poca|poco|pocas|pocos|poquit\w+)\b",
    r"\btengo (?:solo |como |nomas |apenas )?(?:para|pa) (?:la |esta |el |este |unos |una |hoy|manana|\d+"
    r" )?(?:semana|mes|dos"
    r"|tres|cuatro|cinco|unos|dias?|hoy|manana)?(?: (?:dias?|semanas?))?(?: (?:mas|nomas|na mas))?",
    r"\bse (?:me|nos|le|te) (?:van?|estan?|acab\w+|termin\w+|agot\w+|andan?|fue|fueron)(?: a)?(?: (?:acab\w+"
    r"|termin\w+"
    r"|agot\w+))?(?: (?:ya|hoy|ayer|anoche|manana|pronto|el (?:lunes|martes|miercoles|jueves|viernes|sabado"
    r"|domingo)))?\b",
    r"\bse (?:acab\w+|termin\w+|agot\w+|esta(?:n)? (?:acabando|terminando|agotando))\b",
    r"\b(?:estoy|ando|voy) (?:por |ya )*(?:acabar|acabando|terminando|saliendo)(?: (?:de )?(?:las?|los|mis?)"
    r" ultim\w+)?\b",
    r"\b(?:esta|estan) (?:por|a punto de|proxim\w+ a) (?:acabar|terminar|agotar)se?\b",
    r"\b(?:ya )?(?:estoy|ando) (?:on (?:my|the) last (?:pack|one|pill|bottle)|en (?:la|el|las|los) ultim\w+"
    r"(?: \w+)?)\b",
    r"\b(?:ya )?voy (?:saliendo|en|por) (?:de )?(?:las?|los) ultim\w+\b",
    r"\b(?:es|son) (?:la|el|las|los) ultim\w+(?: (?:pastilla|frasco|caja|que me queda|que tengo))*\b",
    r"\b(?:ya )?no (?:me )?(?:quedan?|tengo|tiene|hay|tienen|le quedan|aparecen?) (?:mas )?(?:(?:refil\w*"
    r"|resurtid\w*"
    r"|repeticion\w*|recarg\w*|renovacion\w*|relleno\w*|pastillas?|medicin\w*|medicament\w*|surtid\w*"
    r"|ningun\w*)\b ?)"
    r"(?:(?:en|de) (?:ningun\w+|el frasco|la botella|la farmacia)\b)?",
    r"\b(?:sin|cero|0|ya sin) (?:mas )?(?:refil\w*|resurtid\w*|repeticion\w*|recarg\w*)\b",
    r"\b(?:ya )?me quede sin(?: (?:mas|refil\w*|pastillas?|medicina|nada))*\b",
    r"\b(?:ya )?no (?:me )?(?:queda|quedan) (?:mas|nada|ningun\w+)\b",
    r"\b(?:casi|ya casi) (?:no )?(?:me )?(?:queda|quedan|tengo|se me (?:acab\w+|termin\w+))\b(?: nada| pastillas)?",
)
