"""Cached answers outside the database."""
