"""ClassifAIly: content classification over GraphQL and REST."""

__version__ = "0.1.0"
