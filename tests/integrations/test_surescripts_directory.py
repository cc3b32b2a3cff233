"""The directory's files: every row read or reported."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from lxml import etree
from requests import adapters

from integrations import http
from integrations.surescripts import directory, directory_rows
from integrations.surescripts.types import Endpoint

NOW = datetime(2026, 11, 20, 15, 45, tzinfo=UTC)
CONNECTION = Endpoint(base_url="https://network.test", fingerprint="ab", account="A&1")

HEADER = (
    "ncpdp_id|npi|name|address_line_1|address_line_2|city|state|zip|phone|fax|active_start|active_end|service_levels"
)
HAPPY = (
    "9990001|1638472906|Simulated Pharmacy 0017|88 Mill Road||Nashville|TN|37211|6152219800|6152219801"
    "|2020-01-01T00:00:00Z|2099-12-31T00:00:00Z|New,Cancel,Refill,Controlled Substance"
)
CLOSED = "0990004|1638472906|Closed|1 A St|Unit 2|Nashville|tn|37211-0001|615-221-9800||2020-01-01|2026-11-20|New"


def pharmacies(*rows: str) -> Any:
    return directory_rows.read_pharmacies("\r\n".join((HEADER, *rows)).encode())


def test_a_pharmacy_row_reads_whole() -> None:
    row = pharmacies(HAPPY).rows[0]
    assert (row.ncpdp_id, row.npi, row.name, row.phone, row.fax) == (
        "9990001",
        "1638472906",
        "Simulated Pharmacy 0017",
        "6152219800",
        "6152219801",
    )
    assert (row.address.line1, row.address.city, row.address.state, row.address.postal_code) == (
        "88 Mill Road",
        "Nashville",
        "TN",
        "37211",
    )
    assert row.is_active(now=NOW)
    assert row.offers("New")
    assert row.offers("cancel")
    assert not row.offers("Change")
    assert row.as_ref().ncpdp_id == "9990001"


def test_leading_zeros_stay_and_an_ended_period_is_inactive_from_its_moment() -> None:
    row = pharmacies(HAPPY, CLOSED).rows[1]
    assert row.ncpdp_id == "0990004"
    assert (row.address.state, row.address.postal_code, row.phone) == ("TN", "372110001", "6152219800")
    assert not row.is_active(now=NOW)
    assert row.is_active(now=datetime(2026, 11, 19, 23, 59, 59, tzinfo=UTC))
    assert not row.is_active(now=datetime(2026, 11, 20, tzinfo=UTC))


def test_bad_rows_are_reported_and_the_rest_is_kept() -> None:
    found = pharmacies(
        HAPPY, "", "short|row", HAPPY, CLOSED.replace("0990004", "990004"), CLOSED.replace("2026-11-20", "soon")
    )
    assert [row.ncpdp_id for row in found.rows] == ["9990001"]
    assert [bad.line for bad in found.bad] == [4, 5, 6, 7]


@pytest.mark.parametrize("content", [b"", HEADER.encode(), b"a|b\n1|2\n", (HEADER + "\nshort|row").encode()])
def test_a_file_without_header_or_rows_is_an_error_and_not_an_empty_directory(content: bytes) -> None:
    with pytest.raises(directory_rows.UnreadableFile):
        directory_rows.read_pharmacies(content)


def test_a_provider_row_reads_whole() -> None:
    content = (
        "SPI|NPI|Last Name|First Name|DEA Number|Practice Name|Address Line 1|City|State|Zip|Phone|Fax"
        "|Active Start|Active End|Service Levels\n"
        "9912345678001|1748293051|Whitfield|Jordan|BW4829151|Cedar Row|211 Central Road|Nashville|TN|37205"
        "|6152218800|6152218801|2020-01-01|2099-12-31|New;EPCS\n"
    )
    row = directory_rows.read_providers(content.encode()).rows[0]
    assert (row.spi, row.npi, row.name.last, row.dea_number) == (
        "9912345678001",
        "1748293051",
        "Whitfield",
        "BW4829151",
    )
    assert row.offers("EPCS")
    assert row.is_active(now=NOW)
    assert row.as_ref().practice_name == "Cedar Row"


class Directory(adapters.BaseAdapter):
    """Answers every call alike."""

    def __init__(self, status: int, content: bytes) -> None:
        super().__init__()
        self.status, self.content, self.calls = status, content, list[requests.PreparedRequest]()

    def send(self, request: requests.PreparedRequest, **_more: Any) -> requests.Response:  # type: ignore[override]
        self.calls.append(request)
        response = requests.Response()
        response.status_code, response.request = self.status, request
        response._content, response._content_consumed = self.content, True
        return response


@pytest.fixture
def answer() -> Iterator[Any]:
    mounted: list[Directory] = []

    def mount(status: int, content: bytes) -> Directory:
        adapter = Directory(status, content)
        http.mount("https://network.test", adapter)
        mounted.append(adapter)
        return adapter

    yield mount
    if mounted:
        http.unmount("https://network.test")


def test_a_download_asks_as_our_account_and_reads_the_file(answer: Any) -> None:
    network = answer(200, f"{HEADER}\n{HAPPY}\n".encode())
    found = directory.download_pharmacies(connection=CONNECTION, now=NOW)
    assert [row.ncpdp_id for row in found.rows] == ["9990001"]
    asked = etree.fromstring(network.calls[0].body)
    assert (asked.tag, asked.get("TransactionDomain"), asked.get("Version")) == ("DirectoryMessage", "DIRECTORY", "006")
    assert asked.findtext("Header/To") == "SSDR61"
    assert asked.findtext("Body/DirectoryDownload/AccountID") == "A&1"
    assert network.calls[0].headers["X-Client-Cert-Fingerprint"] == "ab"


@pytest.mark.parametrize(
    ("status", "content", "permanent"),
    [
        (401, b"", True),
        (503, b"", False),
        (200, b"<DirectoryMessage><Body><Error><Code>900</Code></Error></Body></DirectoryMessage>", True),
        (200, b"<broken", False),
        (200, b"", False),
    ],
)
def test_a_download_that_fails_is_raised(answer: Any, status: int, content: bytes, permanent: bool) -> None:
    answer(status, content)
    with pytest.raises(http.VendorError) as caught:
        directory.download_pharmacies(connection=CONNECTION, now=NOW)
    assert caught.value.permanent is permanent
