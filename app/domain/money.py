"""Money as callers and operators write it; inside it is whole nano-dollars (10⁻⁹ US dollars)."""

from decimal import Decimal, InvalidOperation

NANO = 10**9
#: What the columns hold, with room for sums.
MOST_DOLLARS = 1_000_000_000


def to_dollars(nano: int) -> str:
    """Write an amount as a decimal number of US dollars, exactly: "0.0000165", "10"."""
    text = f"{Decimal(nano).scaleb(-9):.9f}".rstrip("0")
    return text.removesuffix(".")


def parse_dollars(text: str) -> int:
    """Read a decimal number of US dollars, to the nano-dollar.

    Raises:
        ValueError: It is not one, is negative, too large or too fine.
    """
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    nano = amount * NANO if amount.is_finite() and 0 <= amount <= MOST_DOLLARS else Decimal("0.5")
    if nano != int(nano):
        raise ValueError(
            f"must be US dollars such as 25 or 0.50, up to {MOST_DOLLARS}, got '{text[:40]}'"
        )
    return int(nano)
