"""Loading the logs of several webhooks at once."""

from collections.abc import Callable

from strawberry.dataloader import DataLoader

from app.domain.accounts.account import Account
from app.domain.services import Services
from app.domain.webhooks import log
from app.domain.webhooks.log import LogWindow
from app.domain.webhooks.webhook import Delivery, DeliveryAttempt, DeliveryStatus

PageKey = tuple[int, LogWindow]
CountKey = tuple[int, DeliveryStatus | None]


class DeliveryLoaders:
    """Those of one request."""

    def __init__(self, services: Services, account: Callable[[], Account]) -> None:
        self._services = services
        self._account = account
        self.pages: DataLoader[PageKey, list[Delivery]] = DataLoader(self._load_pages)
        self.counts: DataLoader[CountKey, int] = DataLoader(self._load_counts)
        self.attempts: DataLoader[str, list[DeliveryAttempt]] = DataLoader(self._load_attempts)

    async def _load_pages(self, keys: list[PageKey]) -> list[list[Delivery]]:
        found: dict[PageKey, list[Delivery]] = {}
        for window in dict.fromkeys(window for _, window in keys):
            ids = [webhook_id for webhook_id, of_key in keys if of_key == window]
            pages = await log.delivery_pages(self._services, self._account(), ids, window)
            found |= {(webhook_id, window): page for webhook_id, page in pages.items()}
        return [found[key] for key in keys]

    async def _load_counts(self, keys: list[CountKey]) -> list[int]:
        found: dict[CountKey, int] = {}
        for status in dict.fromkeys(status for _, status in keys):
            ids = [webhook_id for webhook_id, of_key in keys if of_key == status]
            counts = await log.count_deliveries(self._services, self._account(), ids, status=status)
            found |= {(webhook_id, status): count for webhook_id, count in counts.items()}
        return [found[key] for key in keys]

    async def _load_attempts(self, ids: list[str]) -> list[list[DeliveryAttempt]]:
        attempts = await log.delivery_attempts(self._services, self._account(), ids)
        return [attempts[delivery_id] for delivery_id in ids]
