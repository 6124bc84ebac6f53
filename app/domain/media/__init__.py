"""Images, recordings and videos: from a URL or a data URI to a file that an engine can read."""
