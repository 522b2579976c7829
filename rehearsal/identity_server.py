"""Serves a user pool's public documents on 127.0.0.1."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from rehearsal.function_process import FunctionError
from rehearsal.identity import UserPool
from rehearsal.loopback import REFUSED, is_from_here
from rehearsal.problems import CannotStart


class IdentityServer:
    """Publishes the pool's discovery document and keys on 127.0.0.1, and signs people in for `--keep`."""

    def __init__(self, pool: UserPool, *, sign_in: Callable[[str], str | None]) -> None:
        """Start serving.

        Args:
            pool: whose documents.
            sign_in: gives a fresh access token for a name of the play, or None for an unknown name.
        """
        self._pool = pool
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(pool, sign_in))
        server.daemon_threads = True
        self._server = server
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()

    def local_url(self, url: str) -> str:
        """Where an address of the issuer is served here.

        Raises:
            CannotStart: the address is not the pool's.
        """
        if not url.startswith(self._pool.issuer + "/"):
            raise CannotStart(
                f"{url} is not served by the user pool {self._pool.pool_id} of this assembly",
                "The gateway must trust the issuer of the department's own pool.",
            )
        return self.url + urlsplit(url).path

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


def _handler(pool: UserPool, sign_in: Callable[[str], str | None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not is_from_here({name.lower(): value for name, value in self.headers.items()}):
                self._answer(HTTPStatus.FORBIDDEN, "text/plain", REFUSED + "\n")
                return
            path = urlsplit(self.path).path
            if path.startswith("/sign-in/"):
                try:
                    token = sign_in(path.removeprefix("/sign-in/"))
                except FunctionError as error:
                    self._answer(HTTPStatus.BAD_GATEWAY, "text/plain", f"the pre-token function failed: {error}\n")
                    return
                if token is not None:
                    self._answer(HTTPStatus.OK, "text/plain", token + "\n")
                    return
            document = pool.document(path.removeprefix(f"/{pool.pool_id}"))
            if document is None:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", "nothing is published here\n")
            else:
                self._answer(HTTPStatus.OK, "application/json", json.dumps(document))

        def _answer(self, status: HTTPStatus, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Quiet: a request line could hold nothing of interest."""

    return Handler
