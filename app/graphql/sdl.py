"""The schema as text: what `classifaily export schema` prints and `schema.graphql` holds."""

from app.graphql.schema import SCHEMA


def export_schema() -> str:
    """Return the SDL, with a line end."""
    return SCHEMA.as_str().rstrip() + "\n"
