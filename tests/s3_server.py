"""A program: an S3 store in memory on a free port, which it prints. Ends with whoever started it.

It is moto's application behind another HTTP server: moto's own closes each connection after one answer, and waits a
while before it does. Requests are answered one at a time, so a condition of a write is looked at as it is written.
"""

import asyncio
import io
import os
import sys
from collections.abc import Callable
from typing import Any

os.environ |= {
    # Stores take no parts below 5 MiB but the last one; with small ones, tests have many without much data.
    "S3_UPLOAD_PART_MIN_SIZE": "1",
    # Objects stay in memory, instead of a file for each.
    "MOTO_S3_DEFAULT_KEY_BUFFER_SIZE": str(1 << 30),
    "MOTO_DISABLE_GLOBAL_CORS": "true",
}

from aiohttp import web
from moto.moto_server.werkzeug_app import create_backend_app


class Store:
    """The HTTP side of moto's S3, and of none of the other services of which it would have to find the right one."""

    def __init__(self) -> None:
        self._application = create_backend_app("s3")
        self._application.debug = False

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        body = await request.content.read()
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def begin(status: str, headers: list[tuple[str, str]], _error: object = None, /) -> Callable[[bytes], object]:
            begun.append((status, headers))
            return bytes

        content = b"".join(self._application(_environment(request, body), begin))
        ((status, headers),) = begun
        response = web.Response(status=int(status.split()[0]), headers=headers)
        if request.method != "HEAD":
            response.body = content
        return response


def _environment(request: web.BaseRequest, body: bytes) -> dict[str, Any]:
    """The request as applications of WSGI get it (PEP 3333)."""
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
    return {
        **headers,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path.encode().decode("latin-1"),
        "QUERY_STRING": request.rel_url.raw_query_string,
        "RAW_URI": request.raw_path,
        "REMOTE_ADDR": request.remote,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


async def main() -> None:
    """Serve until the other end of the standard input is gone."""
    loop = asyncio.get_running_loop()
    server = web.Server(Store().answer, access_log=None, keepalive_timeout=3600)
    listener = await loop.create_server(server, "127.0.0.1", 0)
    sys.stdout.write(f"{listener.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(main())
