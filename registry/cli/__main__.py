"""`python -m registry.cli` is `berth`."""

import sys

from registry.cli import main

sys.exit(main())
