"""A proxy that keeps what goes through it: HTTP without TLS, as Flower's SuperNodes talk to their SuperLink on one machine."""

import http.client
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


@dataclass(frozen=True)
class Exchange:
    """A request and its answer."""

    path: str
    headers: str
    request: bytes
    response: bytes


@dataclass
class Recording:
    """All that went through."""

    port: int
    exchanges: list[Exchange] = field(default_factory=list)

    def sent(self) -> list[Exchange]:
        """What the sites sent that is more than a sign of life."""
        return [one for one in self.exchanges if not one.path.endswith("heartbeat")]


class Server(ThreadingHTTPServer):
    """A node that has waited long enough, or has ended, hangs up before its answer is there: no failure of the proxy."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Tell what else went wrong."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def serve(target: int) -> tuple[Recording, ThreadingHTTPServer]:
    """Start a proxy before a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            connection = http.client.HTTPConnection("127.0.0.1", target, timeout=600)
            own = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            connection.request(self.command, self.path, body, own)
            answer = connection.getresponse()
            content = answer.read()
            recording.exchanges.append(Exchange(self.path, str(own), body, content))
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            connection.close()

        do_GET = do_POST = do_PUT = do_DELETE = forward  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = Server(("127.0.0.1", 0), Handler)
    recording = Recording(server.server_address[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return recording, server
