"""What storage may fail with.

DatabaseError
└── DatabaseUnavailable   it was reachable before and may be again
"""


class DatabaseError(Exception):
    """The database can't be opened. The message is for whoever operates the server."""


class DatabaseUnavailable(DatabaseError):
    """The database can't be reached at the moment."""
