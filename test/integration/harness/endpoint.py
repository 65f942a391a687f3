"""An HTTP endpoint on loopback, as a [[notify]] binding may have."""

import http.server
import threading
import time

from .waiting import wait_until


class Endpoint:
    """An HTTP server that keeps what it was sent; `behave(request)` decides: a status, or (status, headers)."""

    def __init__(self, port=0):
        self.requests = []
        self.behave = lambda request: 200
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = {"path": self.path, "headers": self.headers, "body": body, "at": time.monotonic()}
                endpoint.requests.append(request)
                answer = endpoint.behave(request)
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                try:
                    self.send_response(status)
                    for name, value in {"Content-Length": "0", **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                except OSError:
                    pass  # whoever asked is gone

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/hooks/T0-hidden"

    def ids(self):
        return [r["headers"]["Holdfast-Event-Id"] for r in self.requests]

    def wait_ids(self, *wanted):
        wait_until(lambda: self.ids() == list(wanted), lambda: f"{list(wanted)} were sent; {self.ids()} were")

    def close(self):
        self.server.shutdown()
        self.server.server_close()
