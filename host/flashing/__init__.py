"""From the workstation to a running board: checks, transfer over SSH, trial, report."""
