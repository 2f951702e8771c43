"""A program: an S3 store in memory on a free port, which it prints. Ends with whoever started it."""

import logging
import os
import sys
import threading

# Stores take no parts below 5 MiB but the last one; with small ones, tests have many without much data.
os.environ["S3_UPLOAD_PART_MIN_SIZE"] = "1"

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


def end_with_parent() -> None:
    """Wait until the other end of the standard input is gone."""
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=True)
    threading.Thread(target=end_with_parent, daemon=True).start()
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
