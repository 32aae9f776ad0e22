"""``harness plugins``: what is installed, and for those who write plugins ``check`` and ``new``."""
