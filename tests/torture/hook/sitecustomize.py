"""Arms a process as it starts: Python imports this by its name."""

from tests.torture.mortal import arm

arm()
