"""How edgeinfer was installed here, and the command that installs more into the same place."""
