"""The command `classifaily`. Data goes to stdout, talk to stderr; failure exits non-zero."""
