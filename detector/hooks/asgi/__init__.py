"""A middleware for web applications: nothing but ASGI (https://asgi.readthedocs.io/) is needed.

from detector.hooks.asgi import SecretsMiddleware
app = SecretsMiddleware(app)

middleware   what a server calls                 bodies    by type of content
requests     collected, then looked at           forms     fields of the two kinds of forms
responses    looked at while they go out         codings   gzip and deflate
websockets   message by message
"""

from detector.hooks.asgi.middleware import SecretsMiddleware

__all__ = ["SecretsMiddleware"]
