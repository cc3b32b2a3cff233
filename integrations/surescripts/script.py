"""The versions of SCRIPT this product speaks, and the short way to the current one.

`script.current()` is 2017071. 2023011 (mandatory for Medicare Part D from 2028-01-01, 45 CFR 170.205(b)) has its place
in the table and is not built: asking for it raises, it is never approximated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType

from integrations.surescripts import script_build, script_read

CURRENT = "2017071"


class VersionNotBuilt(NotImplementedError):
    """This version of the standard is known by name and not implemented."""


class UnknownVersion(LookupError):
    """No version of the standard that we know has this name."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version: the module that builds its messages and the module that reads them."""

    name: str
    build: ModuleType
    read: ModuleType


_VERSIONS: Mapping[str, Version | None] = MappingProxyType(
    {
        CURRENT: Version(name=CURRENT, build=script_build, read=script_read),
        "2023011": None,
    }
)


def version(name: str) -> Version:
    """The builder and reader of a version. Raises VersionNotBuilt, UnknownVersion."""
    if name not in _VERSIONS:
        raise UnknownVersion(name)
    found = _VERSIONS[name]
    if found is None:
        raise VersionNotBuilt(name)
    return found


def current() -> Version:
    """The version that leaves this product today."""
    return version(CURRENT)


# The short way: callers write `script.build_newrx(...)`, `script.read(...)`.
build_newrx = script_build.build_newrx
prepare_newrx = script_build.prepare_newrx
build_cancelrx = script_build.build_cancelrx
read = script_read.read
