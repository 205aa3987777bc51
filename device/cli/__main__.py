"""`python -m edgeinfer.device.cli`: the program, even if its script is not on the path."""

import sys

if __name__ == "__main__":
    # -m puts the working folder first, which may hold someone else's files. The program's script
    # does not, and -P leaves the folder out.
    if not sys.flags.isolated and not getattr(sys.flags, "safe_path", False):
        del sys.path[0]

    from edgeinfer.device.cli.main import main

    main()
