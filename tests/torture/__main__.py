"""`python -m tests.torture --kills 50`."""

import sys

from tests.torture.driver import main

sys.exit(main())
