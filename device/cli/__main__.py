"""`python -m edgeinfer.device.cli`: the program where its script is not on the path."""

from edgeinfer.device.cli.main import main

if __name__ == "__main__":
    main()
