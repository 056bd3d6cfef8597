"""MySQL and MariaDB: a connection is encrypted, and the server is who it says, where that is asked for."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.unit.mariadb import MariaDb
from tests.unit.postgres import SECRET
from tests.unit.shop import CONTACTS, Shop, contacts


def certificate(folder: Path, host: str) -> dict[str, Path]:
    """A certificate that has signed itself, and its key, as files."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = {"ssl-cert": folder / f"{host}.pem", "ssl-key": folder / f"{host}.key"}
    pem = serialization.Encoding.PEM
    files["ssl-cert"].write_bytes(made.public_bytes(pem))
    plain = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    files["ssl-key"].write_bytes(key.private_bytes(pem, *plain))
    return files


@pytest.fixture(scope="module")
def secured(mariadb):
    """A server with a certificate for `localhost`, and the folder of that."""
    with tempfile.TemporaryDirectory(prefix="tangga-tls-") as folder:
        files = certificate(Path(folder), "localhost")
        if shutil.os.getuid() == 0:
            for file in files.values():  # the certificate, too: whoever tests may have a umask that hides it
                shutil.chown(file, "mysql")
        (home := Path(folder) / "server").mkdir()
        Path(folder).chmod(0o755)
        started = MariaDb(home, *(f"--{option}={path}" for option, path in files.items()))
        started.run("create database crm", CONTACTS.replace("contacts (", "crm.contacts ("), database=None)
        started.run(
            "alter user careful require ssl", "grant select on crm.* to careful", contacts("Ani"), database="crm"
        )
        yield started, Path(folder)
        started.stop()


@pytest.fixture
def shop(inbox, use, secured):
    def shop(**extra) -> Shop:
        server, _ = secured
        given = {"user": "careful", "password": SECRET, "extra": {"unix_socket": server.socket} | extra}
        return Shop(inbox, use(server.connection("crm", **given)), server)

    return shop


def test_the_server_is_verified_by_the_authority_that_is_named(shop, secured):
    ca = str(secured[1] / "localhost.pem")
    for extra in ({"ssl_ca": ca}, {"ssl": {"ca": ca}}, {"ssl": f'{{"ca": "{ca}"}}'}, {"ssl_mode": "REQUIRED"}, {}):
        assert shop(**extra).land().column("first_name") == ["Ani"]


def test_a_server_that_another_authority_has_signed_is_refused(shop, tmp_path):
    other = str(certificate(tmp_path, "localhost")["ssl-cert"])
    for mode in ({}, {"ssl_mode": "VERIFY_CA"}):
        assert "the server's certificate is refused (self-signed certificate)" in shop(ssl_ca=other, **mode).refused()


def test_without_encryption_where_the_server_asks_for_it_is_refused(shop):
    assert "the database refuses the connection (Access denied" in shop(ssl_mode="DISABLED").refused()


def test_a_server_without_tls_is_refused_where_it_is_asked_for(maria, use):
    maria.run(CONTACTS, contacts("Ani"))
    use(maria.server.connection(maria.connection.database, extra=maria.connection.extra | {"ssl_mode": "REQUIRED"}))
    assert "the database refuses the connection" in maria.refused()


def test_unusable_settings_of_tls_are_refused(maria, use, tmp_path):
    for extra, sentence in (
        ({"ssl_ca": str(tmp_path / "none.pem")}, "the certificates that the connection's extra names cannot be used"),
        ({"ssl_mode": "MAYBE"}, "'ssl_mode' in the connection's extra must be one of DISABLED"),
        ({"ssl": "{"}, "'ssl' in the connection's extra is no JSON object"),
    ):
        use(maria.server.connection(maria.connection.database, extra=maria.connection.extra | extra))
        assert sentence in maria.refused()
