"""Words that say nothing clinical: all a plain refill ask may hold besides drug, pharmacy and the ask itself.

Everything not in here, not a drug and not part of a known phrase leaves a doubt, so a word belongs here only if no
sentence made of these words could hide a symptom, a change, a refusal or a condition. Hence no "not", "but", "if",
"or", "stop", "other", "different", "was", "feel", "pain". English and Spanish, folded (no accents).
"""

from __future__ import annotations

# Each of these can carry a change, a question, a refusal or a count: never plain, whatever another list says.
CARRIES = frozenset(
    """
    was new early dose doses all help approve approved take taken another until than had called sent ordered
    submitted processed receive wanted third second first before back approval authorization faxed
    finish finishing finally over go two couple few once check drop little bit old longterm end miss made make
    mil ahora regular plain generic brand desde hace local locales recibir handle
    wish strength ready asked see up put let ayuda toda
    todo tomar tomo otra
    """.split()
)

ENGLISH = frozenset(
    """
    a u r about again all also am an and any anyone are as asap at back be before by call called calling can chance
    check could day days dear do doctor doctors dr due each end fill filled filling for friend friday friends from
    get getting give go going good great had happy has have having he hello help here hey hi hope i i'd i'll
    i'm i've in into is it it's its just kind kindly know last later let like ll lot ma'am made make me med
    medication medication's medications medicine medicines meds message mg mine mcg monday month monthly months
    morning much my name need needed needing needs next nice night nurse of office ok okay on once one only order
    ordered our out over own pa pill pills place please pls plz possible prescribed prescription prescriptions
    preferred provider put quick ready really reason receive refil refill refilled refilling refills refils regular
    reminder renew renewal renewals renewed renewing reorder request requested requesting requests right run running
    runs rx rxs same saturday script scripts see send sending sent shortly sir so some soon sunday sure take taken
    tablet tablets capsule capsules tabs caps tab cap team than thank thanks that that's the their them then there
    these they this those thru through thursday thx time to today tomorrow tonight too tuesday two until up us usual
    ve via wanted wants want was we wednesday week weekend weekly weeks well when which will wish with would yes yep
    you you'd you're your yours thankyou ty appreciate appreciated grateful evening afternoon afternoons regards
    sincerely best bless blessed wonderful awesome staff folks guys asking ask wondering wonder another more few
    supply supplies bottle bottles dose doses strength authorize authorization approve
    approved approval remaining left low almost completely nearly ran finish finishing finally looking forward
    patient date birth dob born number phone pick pickup drop electronically e faxed fax local pharmacy pharmacist
    pharmacies drugstore store near nearest main street road avenue st ave rd blvd cvs walgreens asked told says said
    says soon submit submitted process processed handle set put through ok k medically continue continuing longterm
    long term maintenance both following listed below above list lists first second third couple little bit early
    tues thurs fri mon wed sat sun jan feb mar apr jun jul aug sept oct nov dec january february march april may june
    july august september october november december new year years old it'll that'll fine here's whenever
    respectfully cheers xoxo lol hiya greetings howdy oh um uh yeah hun dear mr mrs ms miss doc docs md np rn
    """.split()
)

SPANISH = frozenset(
    """
    a al ayuda buen buena buenas buenos bien con como cuando cualquier da dar de del dia dias doctor doctora dr dra
    el en enviar envie envien enviarme es esta estan este esto favor farmacia farmacias gracias gusta hola
    la las le les lo los llenar manana mas mandar manda mande manden medicamento medicamentos medicina medicinas medico
    medica mes meses mi mis muchas mucho muy necesitaba necesito necesita necesitamos nombre noches nuevamente
    oficina orden ordenar otra para pastilla pastillas pedir pido pidiendo pedirle poder podria podrian podemos por
    porfa porfavor puede pueden puedo pronto que queda quedan quiero quisiera receta recetas recarga recargar recargas
    relleno rellenar rellenen renovar renovacion renueve renueven resurtido resurtir resurta resurtan reposicion
    saludos se semana semanas senor senora senorita ser solicitar solicito solicitud su sus surtir surta surtan
    tableta tabletas tambien tarde tardes tener tengo tiene tienen toda todo tomar tomo un una unas unos usted ustedes
    y yo ya gracias dios bendiga casi acaba acabando acabaron acabo agotando terminando termina misma mismo hoy
    agradezco agradecida agradecido amable calle avenida farmaceutico capsulas capsula miligramos
    """.split()
)

ALL = (ENGLISH | SPANISH) - CARRIES

# Class hints that are also names of an ingredient or a brand: as patients use them they mean the class.
HINTS_OVER_NAMES = frozenset({"potassium", "iron", "estrogen", "insulin", "estrogens", "vitamin d", "potassio"})

# Names of the vocabulary that are everyday words or fragments; they name a drug too rarely to be read as one.
# None of them may be in ALL and named alone in a plain ask: the words stay unread, which is a doubt.
NEVER_A_DRUG = frozenset(
    """
    cholesterol colesterol perfect contact after water hills martes
    today complete balance perform fortify sure medicine air water alcohol oxygen honey sugar salt milk egg corn wheat
    rice chicken apple banana coffee tea chocolate dog cat horse house dust mouse comfort relief allergy pain sleep
    cold cough flu stress nerve heart clear care daily natural simply soothe protect defense energy health healthy
    good best once oral day night after all am an and the a i me my in on it is at be by cream tablet men women baby
    child children kids senior one two three red blue green white gold silver black pink advance advanced active ultra
    max plus extra super pure basic first next new old fresh instant fast quick rapid dry dandruff wart corn callus
    acid laxative sunscreen e c d k b lemon orange cherry peach strawberry grape mint garlic ginger onion tomato
    potato carrot celery beef pork lamb turkey duck tuna salmon cod shrimp crab lobster oyster clam
    """.split()
)

# Words that may stand in a message that only takes back an earlier one ("never mind, I found some").
TAKING_BACK = frozenset(
    "i i've found it some more have a another bottle one in the cabinet drawer my meds refill"
    " request sorry please thanks"
    " thank you all set for now hi hello ok okay hey up ya tengo encontre disculpe perdon lo la"
    " gracias por favor that this"
    " about forget refills oh actually just".split()
)
