"""What processes of ours import before they do anything. None of it may start a thread."""

import app.cli.accounts
import app.cli.classify
import app.cli.evaluate
import app.cli.keys
import app.cli.serve
import app.cli.worker
import app.server
from app.engines.litellm_provider import library

MODULES = (
    app.cli.accounts,
    app.cli.classify,
    app.cli.evaluate,
    app.cli.keys,
    app.cli.serve,
    app.cli.worker,
    app.server,
    library(),
)
