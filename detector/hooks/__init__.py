"""A filter where people already have a hook, each in a module that is imported for itself.

    logs        the standard library's logging      structlog   a processor
    asgi        a middleware for web applications    litellm     a guardrail of its proxy
    langchain   messages, and a step of a chain

Each takes a :class:`~detector.filter.Filter`, by default one with the package's rules and the
policy's defaults. What the policy sets apart or blocks is withheld here: a hook has no place
where few can read it. Libraries are imported with the module that needs them; one that is not
installed raises :class:`~detector.errors.UsageError`, which names the pip command.
"""
