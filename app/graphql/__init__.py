"""The GraphQL face: types, resolvers and the endpoint, thin over the domain."""

from app.graphql import enums

__all__ = ["enums"]
