"""Certificates that a stack makes for itself."""

import stat
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from deploy.local.services.certificates import CertificateAuthority


def test_keys_can_be_read_by_their_owner_only(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path / "certificates")
    keys = [authority.own.key, authority.issue("worker").key]
    assert [stat.S_IMODE(key.stat().st_mode) for key in keys] == [0o600, 0o600]
    assert stat.S_IMODE((tmp_path / "certificates").stat().st_mode) == 0o700


def test_a_certificate_names_its_user_and_loopback_and_is_signed_by_the_authority(tmp_path: Path) -> None:
    authority = CertificateAuthority(tmp_path)
    issued = x509.load_pem_x509_certificate(authority.issue("worker").certificate.read_bytes())
    issued.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.own.certificate.read_bytes()))
    assert [name.value for name in issued.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["worker"]
    hosts = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(host.value) for host in hosts] == ["127.0.0.1", "localhost"]


def test_what_was_issued_is_given_out_again(tmp_path: Path) -> None:
    before = [CertificateAuthority(tmp_path).issue("worker").certificate.read_bytes()]
    before.append(CertificateAuthority(tmp_path).own.certificate.read_bytes())
    again = CertificateAuthority(tmp_path)
    assert [again.issue("worker").certificate.read_bytes(), again.own.certificate.read_bytes()] == before
