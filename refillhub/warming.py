"""What a worker loads before it forks, so that its processes share it. Web processes load none of it.

Imported once every application is ready, as the vocabulary is a row of a model.
"""

import gc
from typing import Any

from celery import signals
from django import db

from rules import protocols, vocabulary


@signals.worker_init.connect
def load_tables(**_later: Any) -> None:
    """The drug vocabulary in force and the protocols.

    A database that does not answer yet, or is not migrated, leaves the shipped vocabulary; the tasks ask again.
    """
    vocabulary.refresh()
    vocabulary.current()
    protocols.load()
    db.connections.close_all()  # processes that shared a connection would read each other's answers
    gc.freeze()  # what is loaded now lives as long as the worker; left unfrozen, the first collection would copy it
