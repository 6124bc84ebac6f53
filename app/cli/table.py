"""Tables on stdout: tab-separated, so that `cut` and `awk` work and people can read them."""

from collections.abc import Iterable, Sequence

import click


def echo_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a header and rows. An absent value is a dash."""
    click.echo("\t".join(header))
    for row in rows:
        click.echo("\t".join("-" if cell is None else str(cell) for cell in row))
