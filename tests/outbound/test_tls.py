"""TLS: connected by address, verified by name."""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.outbound.client import Outbound
from app.outbound.errors import Refused, Unreachable
from tests.outbound.conftest import MakeOutbound
from tests.outbound.peers import OK, Zone, always, redirect, serving

NAME = "hooks.example.com"


@dataclass(frozen=True)
class Authority:
    """A certificate authority that nobody knows but who is told of it."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, folder: Path) -> "Authority":
        """Make an authority with a new key."""
        key = ec.generate_private_key(ec.SECP256R1())
        extension = x509.BasicConstraints(ca=True, path_length=0)
        return cls(folder, key, _certificate("Test", key, key, extension, issuer="Test"))

    def trusted(self) -> ssl.SSLContext:
        """Return a client's context that trusts it alone."""
        pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=pem)

    def served(self, *names: str, days: int = 1) -> ssl.SSLContext:
        """Return a server's context with a certificate for these names and addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
        made = _certificate(names[0], key, self.key, alternatives, issuer="Test", days=days)
        file = self.folder / "served.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file)
        return context


def _certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
    *,
    issuer: str,
    days: int = 1,
) -> x509.Certificate:
    start = datetime.now(UTC) + timedelta(days=min(days, 0) - 1)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(datetime.now(UTC) + timedelta(days=days))
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        .sign(signer, hashes.SHA256())
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A throwaway authority."""
    return Authority.make(tmp_path)


@pytest.fixture
async def outbound(make_outbound: MakeOutbound, authority: Authority, zone: Zone) -> Outbound:
    """A client that trusts the authority, and knows the name."""
    zone.add(NAME, "127.0.0.1")
    return await make_outbound("127.0.0.0/8", ssl_context=authority.trusted())


async def test_the_certificate_is_verified_by_name_at_the_pinned_address(
    outbound: Outbound, authority: Authority, zone: Zone
) -> None:
    asked: list[str] = []
    context = authority.served(NAME)
    context.sni_callback = lambda _, name, __: asked.append(name)
    async with serving(always(OK), tls=context) as peer:
        url = peer.url(host=NAME, scheme="https")
        assert (await outbound.fetch(url, max_bytes=10, deadline_s=5)).content == b"hello"
        answer = await outbound.post(url, body=b"{}", headers={}, deadline_s=5)
        assert answer.status == 200
    assert asked == [NAME, NAME]
    assert f"Host: {NAME}:{peer.port}".encode() in peer.heads[0]
    assert zone.questions[f"{NAME} 4"] == 2


async def test_an_address_is_verified_as_an_address(
    outbound: Outbound, authority: Authority
) -> None:
    async with serving(always(OK), tls=authority.served("127.0.0.1")) as peer:
        url = peer.url(scheme="https")
        assert (await outbound.fetch(url, max_bytes=10, deadline_s=5)).content == b"hello"


@pytest.mark.parametrize("covered", [("other.example.com",), ("127.0.0.1",), ("example.com",)])
async def test_a_certificate_for_another_name_is_refused(
    outbound: Outbound, authority: Authority, covered: tuple[str, ...]
) -> None:
    async with serving(always(OK), tls=authority.served(*covered)) as peer:
        with pytest.raises(Unreachable, match=f"certificate of {NAME}"):
            await outbound.fetch(peer.url(host=NAME, scheme="https"), max_bytes=10, deadline_s=5)
        assert not peer.heads


async def test_an_expired_certificate_is_refused(outbound: Outbound, authority: Authority) -> None:
    async with serving(always(OK), tls=authority.served(NAME, days=-1)) as peer:
        with pytest.raises(Unreachable, match="certificate"):
            await outbound.fetch(peer.url(host=NAME, scheme="https"), max_bytes=10, deadline_s=5)


async def test_an_unknown_authority_is_refused(
    make_outbound: MakeOutbound, authority: Authority, zone: Zone
) -> None:
    zone.add(NAME, "127.0.0.1")
    outbound = await make_outbound("127.0.0.1")
    async with serving(always(OK), tls=authority.served(NAME)) as peer:
        with pytest.raises(Unreachable, match="certificate"):
            await outbound.post(
                peer.url(host=NAME, scheme="https"), body=b"", headers={}, deadline_s=5
            )
        assert not peer.heads


async def test_what_speaks_no_tls(outbound: Outbound) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n")
        await reader.read(1000)
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    with pytest.raises(Unreachable, match="does not speak TLS"):
        await outbound.fetch(url, max_bytes=10, deadline_s=5)
    server.close()


async def test_a_redirect_from_https_to_http_is_refused(
    outbound: Outbound, authority: Authority
) -> None:
    async with (
        serving(always(OK)) as plain,
        serving(always(redirect(plain.url())), tls=authority.served(NAME)) as peer,
    ):
        with pytest.raises(Refused, match="from https to http"):
            await outbound.fetch(peer.url(host=NAME, scheme="https"), max_bytes=10, deadline_s=5)
        assert plain.connections == 0
