"""`python -m edgeinfer.device.cli`: the program where its script is not on the path."""

import sys

if __name__ == "__main__":
    # -m puts the working folder first, where a stranger's files may lie; the program's own script
    # does not, and -P leaves it out.
    if not sys.flags.isolated and not getattr(sys.flags, "safe_path", False):
        del sys.path[0]

    from edgeinfer.device.cli.main import main

    main()
