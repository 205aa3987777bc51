"""What `import edgeinfer` gives, and the workstation's commands as Python functions."""
