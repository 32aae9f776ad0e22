"""The toolbox of the core and of plugin authors.

Blocks of reports, text, numbers, files, YAML with lines, cells, features, stemming.
Every module is public and may be imported by plugins.
"""
