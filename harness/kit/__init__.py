"""The toolbox of the core and of plugin authors: blocks of reports, text, numbers, files, features,
similarity, stemming.

Every module is public and may be imported by plugins.
"""
