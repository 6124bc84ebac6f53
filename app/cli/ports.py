"""Addresses to listen on."""

import os
import socket

import click

from app.settings import PREFIX


def check_port_is_free(host: str, port: int, chosen_by: str) -> None:
    """Refuse an address that can't be listened on; `chosen_by` says what chooses the port.

    Raises:
        ClickException: It can't.
    """
    try:
        (family, kind, *_, address), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError):
        raise click.ClickException(
            f"{PREFIX}HOST: {host} is no address of this machine, nor a name of one"
        ) from None
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise click.ClickException(
                f"can't listen on {host}:{port}: {os.strerror(error.errno or 0)}. "
                f"Choose another with {chosen_by}."
            ) from error
