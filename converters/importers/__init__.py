"""Importers: programs of others that read other kinds of models, in environments that edgeinfer
makes for them.
"""
