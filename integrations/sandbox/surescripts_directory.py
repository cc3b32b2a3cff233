"""The directory of the pretended network: full files of pharmacies and of prescriber locations, and one search.

Files are pipe-delimited with a header row. What it cannot serve is answered with a DirectoryMessage with Error.
"""

import xml.etree.ElementTree as ElementTree
from typing import TYPE_CHECKING

from integrations.sandbox import surescripts_messages as messages
from integrations.sandbox import surescripts_xml as xml
from integrations.sandbox.surescripts_counter import stamp
from integrations.sandbox.surescripts_registry import SINCE, Account, Pharmacy, Place, Spi
from integrations.sandbox.wire import Answer, Request

if TYPE_CHECKING:
    from integrations.sandbox.surescripts import Surescripts

_ADDRESS = (
    "AddressLine1",
    "AddressLine2",
    "City",
    "StateProvince",
    "PostalCode",
    "CountryCode",
    "PrimaryTelephone",
    "Fax",
)
_PERIOD = ("ActiveStartTime", "ActiveEndTime", "ServiceLevels")
PHARMACY_COLUMNS = ("NCPDPID", "NPI", "OrganizationName", *_ADDRESS, *_PERIOD)
PROVIDER_COLUMNS = ("SPI", "NPI", "DEANumber", "LastName", "FirstName", "Suffix", "PracticeName", *_ADDRESS, *_PERIOD)


def answer(*, network: "Surescripts", request: Request, account: Account | None, lane: str) -> Answer:
    """One DirectoryMessage; 400 for no XML, 429 over the routine lane, else a file or an Error."""
    now = network.clock.now()
    wait = network.lanes.take(account=lane, root="", controlled=False, now=now.timestamp())
    if wait:
        return Answer(status=429, headers={"Retry-After": str(wait)})
    try:
        root = xml.read(raw=request.body)
    except (xml.NotXml, xml.Malformed) as fault:
        return Answer(status=400, body=str(fault).encode("ascii", "replace"), headers={"Content-Type": "text/plain"})
    found = _file(network, root, account)
    if isinstance(found, bytes):
        name = xml.text_at(root, "Header", "MessageID")
        network.journal.add(
            at=now, kind="directory.answered", practice=account.practice if account else "", decision="file",
            ids={"message_id": name}, data={"rows": found.count(b"\r\n") - 1},
        )  # fmt: skip
        return Answer(status=200, body=found, headers={"Content-Type": "text/plain; charset=us-ascii"})
    code, text = found
    body = xml.directory_message(
        message_id=network.counter.new_id(), relates_to=xml.text_at(root, "Header", "MessageID")[:35],
        sent_at=stamp(now),
        to=account.key if account else "UNKNOWN", body=messages.error(code="900", description_code=code, text=text),
    )  # fmt: skip
    return Answer(status=200, body=body, headers={"Content-Type": "application/xml; charset=utf-8"})


def _file(network: "Surescripts", root: ElementTree.Element, account: Account | None) -> bytes | tuple[str, str]:
    """The file asked for, or (description code, text) of an Error."""
    if root.tag != "DirectoryMessage" or root.get("TransactionDomain") != "DIRECTORY":
        return "3000", "DirectoryMessage expected. XPath /"
    if account is None:
        return "1000", "Authentication Failed - No account matches certificate information"
    download, search = root.find("Body/DirectoryDownload"), root.find("Body/GetProviderLocation")
    if download is not None:
        if xml.text_at(download, "AccountID") not in ("", account.key):
            return (
                "1000",
                "AccountID is not the certificate's account. XPath /DirectoryMessage/Body/DirectoryDownload/AccountID",
            )
        wanted = xml.text_at(download, "DownloadType").lower()
        if wanted.startswith(("org", "pharm")):
            return _pharmacies(network)
        if wanted.startswith(("prov", "presc", "spi")):
            return providers(
                [spi for spi in network.registry.spis.values() if spi.listed and spi.account == account.key]
            )
        return "2000", "Unknown DownloadType. XPath /DirectoryMessage/Body/DirectoryDownload/DownloadType"
    if search is not None:
        return _search(network, search)
    return "4030", "Only DirectoryDownload and GetProviderLocation are supported"


def _search(network: "Surescripts", search: ElementTree.Element) -> bytes | tuple[str, str]:
    asked = {
        element.tag: (element.text or "").strip() for element in search.iter() if element.text and element.text.strip()
    }
    asked = {tag: value for tag, value in asked.items() if tag in ("SPI", "NPI", "DEANumber")}
    if len(asked) != 1:
        return (
            "2000",
            "Exactly one of SPI, NPI, DEANumber is required. XPath /DirectoryMessage/Body/GetProviderLocation",
        )
    ((tag, value),) = asked.items()
    name = {"SPI": "spi", "NPI": "npi", "DEANumber": "dea"}[tag]
    return providers(
        [spi for spi in network.registry.spis.values() if getattr(spi, name) == value and (spi.listed or tag == "SPI")]
    )


def _pharmacies(network: "Surescripts") -> bytes:
    listed = [pharmacy for pharmacy in network.registry.pharmacies.values() if pharmacy.listed]
    rows = [(p.ncpdp, p.npi, p.name, *_place(p.place), *_period(p)) for p in sorted(listed, key=lambda p: p.ncpdp)]
    return xml.delimited(columns=PHARMACY_COLUMNS, rows=rows)


def providers(spis: list[Spi]) -> bytes:
    """A file of prescriber locations."""
    rows = [
        (s.spi, s.npi, s.dea, s.last, s.first, s.suffix, s.practice_name, *_place(s.place), *_period(s))
        for s in sorted(spis, key=lambda s: s.spi)
    ]
    return xml.delimited(columns=PROVIDER_COLUMNS, rows=rows)


def _place(place: Place) -> tuple[str, ...]:
    return place.line1, place.line2, place.city, place.state, place.postal, "US", place.phone, place.fax


def _period(record: Pharmacy | Spi) -> tuple[str, str, str]:
    return stamp(SINCE), stamp(record.active_end), ",".join(sorted(record.levels))
