"""A certificate authority of one's own, for services on loopback: no browser and no system trusts it."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.local.private_file import write_private

_VALID_FOR: Final = timedelta(days=3650)
_LOOPBACK: Final = ipaddress.ip_address("127.0.0.1")


class Issued(NamedTuple):
    """The files of one certificate and its key, PEM; the key's is for its owner only."""

    certificate: Path
    key: Path


class CertificateAuthority:
    """Issues certificates for 127.0.0.1 and localhost, into the folder where its own lies; made once."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder and the authority's own certificate if they are not there."""
        self._folder = folder
        self.own = Issued(folder / "ca.pem", folder / "ca.key")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.own.certificate.exists():
            self._make_own()

    def issue(self, name: str, key_password: bytes | None = None) -> Issued:
        """A certificate for servers and clients whose common name is `name`; the one that is there, if it is."""
        issued = Issued(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        if not issued.certificate.exists():
            self._make(name, issued, key_password)
        return issued

    def _make_own(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("user actions collector, this machine only")
        extensions = [x509.BasicConstraints(ca=True, path_length=0), _usage(signs_certificates=True)]
        builder = _builder(name, key).issuer_name(name)
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        certificate = builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256())
        _write(self.own, certificate, key, NoEncryption())

    def _make(self, name: str, issued: Issued, key_password: bytes | None) -> None:
        authority = x509.load_pem_x509_certificate(self.own.certificate.read_bytes())
        signing_key = load_pem_private_key(self.own.key.read_bytes(), None)
        assert isinstance(signing_key, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        hosts = x509.SubjectAlternativeName([x509.IPAddress(_LOOPBACK), x509.DNSName("localhost")])
        uses = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key())
        certificate = (
            _builder(_name(name), key)
            .issuer_name(authority.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(hosts, critical=False)
            .add_extension(uses, critical=False)
            .add_extension(issuer_key, critical=False)
            .sign(signing_key, hashes.SHA256())
        )
        _write(issued, certificate, key, BestAvailableEncryption(key_password) if key_password else NoEncryption())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    # A little before now: another machine's clock may be behind.
    begin = datetime.now(UTC) - timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + _VALID_FOR)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(
    issued: Issued,
    certificate: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    encryption: KeySerializationEncryption,
) -> None:
    """The certificate last: where it is, its key is."""
    write_private(issued.key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    issued.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
