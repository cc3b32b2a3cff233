"""Putting a controlled prescription before its prescriber: the exact bytes are frozen and the request waits.

Called inside a verb's transaction; any later change of the request makes what was prepared void, because the version on
it is no longer the request's (21 CFR 1311.120(b)(10)). It signs nothing and sends nothing.
"""

from integrations.surescripts.script_checks import DoesNotFit
from integrations.surescripts.script_epcs import NotControlled
from refillhub.practices.models import Provider, User
from review import identity, parties, signing
from review.ledger import Ledger
from review.models import Preparation, RefillRequest
from review.states import RequestState
from review.workflow import acts, moves

R = RequestState


def put_forward(
    *, request: RefillRequest, provider: Provider, by: User, verb: str, ledger: Ledger
) -> Preparation:
    """Freeze the bytes for this prescriber and let the request wait for them. Raises NotPossible, WrongState."""
    if not signing.is_here(practice=request.practice):
        raise acts.NotPossible(
            "signing_not_here", "Controlled prescriptions are not signed in this program here; make a task in DrChrono."
        )
    snapshot = identity.unseal(sealed=request.snapshot_sealed, practice=request.practice)
    if snapshot is None:
        raise acts.NotPossible(
            "identity_missing", "The patient's details were not read from the chart; read them again."
        )
    row = moves.pharmacy_names([request]).get((request.practice.stage, request.pharmacy_ncpdp))
    refused = signing.objection(request=request, provider=provider, pharmacy=row, now=ledger.now)
    if refused is not None or row is None:
        raise acts.NotPossible(*(refused or ("pharmacy_not_current", "Choose another pharmacy.")))
    try:
        made = signing.prepare(
            request=request,
            snapshot=snapshot,
            provider=provider,
            pharmacy=row,
            by=by,
            now=ledger.now,
            version=request.version + 1,
        )
    except (DoesNotFit, NotControlled, parties.NoSender) as error:
        raise acts.NotPossible("does_not_fit", str(error)) from error
    moves.move(request=request, verb=verb, to=R.AWAITING_SIGNATURE, now=ledger.now)
    request.assignee = provider
    made.save(force_insert=True)
    ledger.on_request(
        request,
        "epcs.prepared",
        outcome=request.state,
        data={
            "preparation": str(made.id),
            "provider": str(provider.id),
            "sha256": made.document_sha256,
            "schedule": made.schedule,
        },
    )
    return made
