"""Models behind servers: asked by any plugin, kept, counted.

A plugin's options inherit from :class:`~harness.kit.remote.options.ServerOptions`; an
:class:`~harness.kit.remote.asking.Asker` sends requests and gives back the reply, or the fault, of
each (:mod:`~harness.kit.remote.replies`, :mod:`~harness.kit.remote.faults`).
"""
