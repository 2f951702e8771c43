"""`python -m conformance.doctor`."""

import sys

from conformance.doctor.cli import main

sys.exit(main())
