"""`python -m edgeinfer.device.releases`: the agent without its zipapp."""

import sys

from edgeinfer.device.releases.commands import main

if __name__ == "__main__":
    sys.exit(main())
