"""`edgeinfer doctor --report`: everything about this machine in one file, without secrets.

`collect` gathers the parts, `private` finds what must not be in the file and removes it, `text`
writes Markdown or JSON. Like the doctor, nothing here imports numpy, OpenCV or a runtime.
"""
