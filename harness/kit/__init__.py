"""The toolbox of the core and of plugin authors: text, files, features, similarity, stemming.

Every module is public and may be imported by plugins.
"""
