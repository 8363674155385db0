"""A server on this machine that receives webhooks, over TLS with a certificate of its own authority."""

import ssl
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.serving import serving

HOST = "localhost"


@dataclass
class Receiver:
    """`answers` are taken in turn, each a status, headers and a text; without one it answers 204."""

    port: int
    scheme: str
    answers: list = field(default_factory=list)
    got: list = field(default_factory=list)  # (headers, body) of each request
    arrived: SimpleQueue = field(default_factory=SimpleQueue)
    may_answer: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self):
        return f"{self.scheme}://{HOST}:{self.port}/hooks?for=us"

    @property
    def names(self):
        return [headers["webhook-id"] for headers, _body in self.got]


def receiving(folder=None, host=HOST):
    """For a with block. With a folder for the certificate, over TLS. While `may_answer` is not set, it does
    not answer."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if folder:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate(folder, host))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.receiver = Receiver(server.server_port, "https" if folder else "http")
    return serving(server, server.receiver)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.got.append((dict(self.headers) | {"path": self.path}, body))
        receiver.arrived.put(body)
        receiver.may_answer.wait(60)
        status, headers, text = receiver.answers.pop(0) if receiver.answers else (204, {}, "")
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_said):
        pass


def certificate(folder, host):
    """A file with a key and a certificate for this host, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host}.pem"
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + signed.public_bytes(pem)
    )
    return path
