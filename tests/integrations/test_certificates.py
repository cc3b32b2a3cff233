"""Client certificates: what is wrong names the certificate it is wrong with; what is right is shown to the network."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from integrations import certificates

NOW = datetime(2026, 11, 17, 15, 0, tzinfo=UTC)


class Made:
    """A certificate with its key, signed by another of these or by itself."""

    def __init__(
        self,
        name: str,
        by: "Made | None" = None,
        *,
        since: timedelta = timedelta(days=-1),
        until: timedelta = timedelta(days=300),
        usage: Any = None,
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = by or self
        built = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(issuer.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + since)
            .not_valid_after(NOW + until)
        )
        if usage is not None:
            built = built.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        self.certificate = built.sign(issuer.key, hashes.SHA256())

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def key_pem(self, password: bytes | None = None) -> str:
        lock: Any = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock
        ).decode()


ROOT = Made("Network Root", until=timedelta(days=3000))
MIDDLE = Made("Network Issuing", ROOT, until=timedelta(days=900))
OURS = Made("Lakeside", MIDDLE, usage=ExtendedKeyUsageOID.CLIENT_AUTH)
GOOD = OURS.pem + MIDDLE.pem + ROOT.pem + OURS.key_pem()


def test_a_whole_chain_with_its_key_is_good_until_the_first_of_it_ends() -> None:
    found = certificates.check(pem=GOOD, now=NOW)
    assert [one.strip("\u201c\u201d") for one in found.subjects] == [
        "CN=Lakeside",
        "CN=Network Issuing",
        "CN=Network Root",
    ]
    assert found.expires_at == OURS.certificate.not_valid_after_utc
    assert found.fingerprint == OURS.certificate.fingerprint(hashes.SHA256()).hex()


def test_line_ends_of_another_system_and_words_around_it_do_not_matter() -> None:
    assert certificates.check(pem="Bag Attributes\r\n" + GOOD.replace("\n", "\r\n"), now=NOW).subjects[0]


OLD = Made("Lakeside of old", MIDDLE, until=timedelta(seconds=0))
EARLY = Made("Lakeside to come", MIDDLE, since=timedelta(days=1))
STRANGER = Made("Another Authority")
SERVER = Made("Lakeside web", MIDDLE, usage=ExtendedKeyUsageOID.SERVER_AUTH)
OLD_MIDDLE = Made("Old Issuing", ROOT, until=timedelta(days=-1), since=timedelta(days=-9))
UNDER_OLD = Made("Lakeside two", OLD_MIDDLE)


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        ("", "There is no certificate in it"),
        ("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----", "Certificate 1 cannot be read"),
        (OURS.pem, "private key is missing"),
        (OURS.pem + OURS.key_pem() + ROOT.key_pem(), "Exactly one private key"),
        (OURS.pem + OURS.key_pem(b"locked"), "locked by a password"),
        (OURS.pem + MIDDLE.key_pem(), "key does not belong to \u201cCN=Lakeside\u201d"),
        (MIDDLE.pem + OURS.pem + OURS.key_pem(), "key does not belong to \u201cCN=Network Issuing\u201d"),
        (OLD.pem + MIDDLE.pem + OLD.key_pem(), "\u201cCN=Lakeside of old\u201d has expired on 2026-11-17"),
        (EARLY.pem + EARLY.key_pem(), "\u201cCN=Lakeside to come\u201d is valid only from 2026-11-18"),
        (UNDER_OLD.pem + OLD_MIDDLE.pem + UNDER_OLD.key_pem(), "\u201cCN=Old Issuing\u201d has expired"),
        (OURS.pem + STRANGER.pem + OURS.key_pem(), "\u201cCN=Lakeside\u201d was not issued by \u201cCN=Another Author"),
        (OURS.pem + MIDDLE.pem + STRANGER.pem + OURS.key_pem(), "\u201cCN=Network Issuing\u201d was not issued by"),
        (SERVER.pem + MIDDLE.pem + SERVER.key_pem(), "\u201cCN=Lakeside web\u201d may not be used by a client"),
        (GOOD + "-----BEGIN CERTIFICATE REQUEST-----\nx\n-----END CERTIFICATE REQUEST-----", "does not belong here"),
    ],
)
def test_what_is_wrong_names_the_certificate_and_never_the_key(pem: str, said: str) -> None:
    with pytest.raises(certificates.BadCertificate) as caught:
        certificates.check(pem=pem, now=NOW)
    assert said in str(caught.value)
    assert "PRIVATE" not in str(caught.value)


def test_the_edge_of_its_time() -> None:
    last = OLD.certificate.not_valid_after_utc - timedelta(seconds=1)
    assert certificates.check(pem=OLD.pem + OLD.key_pem(), now=last).expires_at == OLD.certificate.not_valid_after_utc


def test_files_hold_certificates_and_key_apart_for_this_process_alone() -> None:
    certs, key = map(Path, certificates.files(pem=GOOD))
    assert certs.read_text().count("BEGIN CERTIFICATE") == 3
    assert "PRIVATE" not in certs.read_text()
    assert key.read_text().count("PRIVATE KEY") == 2
    assert {one.stat().st_mode & 0o777 for one in (certs, key)} == {0o600}
    assert certs.parent.stat().st_mode & 0o777 == 0o700
    assert certificates.files(pem=GOOD) == (str(certs), str(key))
    key.unlink()
    assert Path(certificates.files(pem=GOOD)[1]).exists()
