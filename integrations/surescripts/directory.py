"""The network's directory: asks for its files of pharmacies and prescribers and hands out their rows.

It downloads; what a row says is read in `directory_rows`. It stores nothing and never guesses a substitute.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar
from xml.sax import saxutils

from integrations import http
from integrations.surescripts import client, directory_rows, script_build, script_checks, script_read
from integrations.surescripts.directory_rows import DirectoryFile, PharmacyRow, ProviderRow
from integrations.surescripts.script_parts import UnreadableDocument
from integrations.surescripts.types import Endpoint

MAX_BYTES = 64 * 1024 * 1024
DIRECTORY_ID = "SSDR61"
VERSION_ID = "6.1"

_OPEN = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<DirectoryMessage '
    + " ".join(
        f'{name}="{script_build.VERSION}"'
        for name in ("DatatypesVersion", "TransportVersion", "TransactionVersion", "StructuresVersion", "ECLVersion")
    )
    + ' TransactionDomain="DIRECTORY" Version="006" Release="001">'
)


class DownloadType(StrEnum):
    """Which file to ask for."""

    PHARMACIES = "Organization"
    PROVIDERS = "Provider"


File = TypeVar("File", DirectoryFile[PharmacyRow], DirectoryFile[ProviderRow])


def download_pharmacies(*, connection: Endpoint, now: datetime) -> DirectoryFile[PharmacyRow]:
    """Every pharmacy of the network. Raises http.VendorError, http.NetworkInsideTransaction."""
    return _as_vendor_error(
        directory_rows.read_pharmacies, _download(connection=connection, wanted=DownloadType.PHARMACIES, now=now)
    )


def download_providers(*, connection: Endpoint, now: datetime) -> DirectoryFile[ProviderRow]:
    """Every prescriber location of our account. Raises http.VendorError, http.NetworkInsideTransaction."""
    return _as_vendor_error(
        directory_rows.read_providers, _download(connection=connection, wanted=DownloadType.PROVIDERS, now=now)
    )


def build_download(*, connection: Endpoint, wanted: DownloadType, message_id: str, now: datetime) -> bytes:
    """The request for a full file."""
    account = saxutils.escape(connection.account)
    return (
        f'{_OPEN}<Header><To Qualifier="ZZZ">{DIRECTORY_ID}</To><From Qualifier="ZZZ">{account}</From>'
        f"<MessageID>{message_id}</MessageID><SentTime>{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}</SentTime></Header>"
        f"<Body><DirectoryDownload><AccountID>{account}</AccountID><DownloadType>{wanted.value}</DownloadType>"
        f"<VersionID>{VERSION_ID}</VersionID></DirectoryDownload></Body></DirectoryMessage>"
    ).encode()


def _download(*, connection: Endpoint, wanted: DownloadType, now: datetime) -> bytes:
    document = build_download(connection=connection, wanted=wanted, message_id=script_checks.new_message_id(), now=now)
    response = http.request(
        vendor=client.VENDOR,
        method="POST",
        url=f"{connection.base_url.rstrip('/')}/directory",
        headers={**client.headers_for(connection), "Accept": "text/plain, text/csv, application/xml"},
        data=document,
        timeout=(connection.connect_timeout, connection.read_timeout),
        cert=connection.cert,
        ca_file=connection.ca_file,
        max_bytes=MAX_BYTES,
    )
    if response.status != 200:
        raise client.read_error(response)
    if response.content.lstrip()[:1] == b"<":
        raise _refusal(response.content)
    return response.content


def _refusal(content: bytes) -> http.VendorError:
    """The directory answered with a message where a file was wanted."""
    code = text = ""
    try:
        root = script_read.parse(content)
        code = (root.findtext(".//Error/Code") or "").strip()
        text = (root.findtext(".//Error/Description") or "").strip()[:200]
    except UnreadableDocument as error:
        text = str(error)
    said = f"the directory refused: {code} {text}".strip()
    return http.VendorError(said, vendor=client.VENDOR, permanent=bool(code), status=200, code=code)


def _as_vendor_error(read: Callable[[bytes], File], content: bytes) -> File:
    try:
        return read(content)
    except directory_rows.UnreadableFile as error:
        raise http.VendorError(f"directory file: {error}", vendor=client.VENDOR, permanent=False) from None
