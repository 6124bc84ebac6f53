"""What a resolver knows of its request."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import strawberry
from strawberry.dataloader import DataLoader

from app.domain.accounts.account import Account, Caller, require_active_subscription
from app.domain.batches.batch import Batch
from app.domain.batches.read import get_batch_jobs, get_batches
from app.domain.errors import Error, RateLimitExceeded
from app.domain.jobs.inputs import get_inputs
from app.domain.jobs.job import Job
from app.domain.jobs.read import get_jobs
from app.domain.keys.authenticate import recheck
from app.domain.schemas.manage import get_schemas
from app.domain.schemas.schema import Schema
from app.domain.services import Services
from app.graphql.errors import UserError, user_error
from app.graphql.idempotency import Deed
from app.graphql.webhooks.loaders import DeliveryLoaders

T = TypeVar("T")


class Context:
    """One operation, which arrived at `started` (perf_counter seconds).

    `used` is the month's use as far as it is known. `deed` is what the operations of the HTTP
    request do, as far as a repeat has to know of it.
    """

    def __init__(
        self,
        services: Services,
        caller: Caller | None,
        *,
        started: float,
        deed: Deed | None = None,
    ) -> None:
        self.deed = deed or Deed()
        self.services = services
        self.started = started
        self._caller = caller
        self.used = 0 if caller is None else caller.used
        self.jobs: DataLoader[int, Job | None] = DataLoader(self._load_jobs)
        self.schemas: DataLoader[int, Schema | None] = DataLoader(self._load_schemas)
        self.inputs: DataLoader[int, str | None] = DataLoader(self._load_inputs)
        self.batches: DataLoader[str, Batch | None] = DataLoader(self._load_batches)
        self.batch_jobs: DataLoader[str, tuple[Job, ...]] = DataLoader(self._load_batch_jobs)
        self.deliveries = DeliveryLoaders(services, lambda: self.paying_account)

    @property
    def caller(self) -> Caller:
        """Who asks. Operations that select more than introspection have one."""
        if self._caller is None:
            raise RuntimeError("an operation without a caller reached a resolver")
        return self._caller

    @property
    def account(self) -> Account:
        """The caller's account, whatever its standing."""
        return self.caller.account

    @property
    def paying_account(self) -> Account:
        """The caller's account, if its subscription allows to go on.

        Raises:
            SubscriptionInactive: It has lapsed.
        """
        require_active_subscription(self.account)
        return self.account

    @property
    def docs(self) -> str:
        """Where errors are explained."""
        return f"{self.services.settings.base_url}/docs#errors"

    def forget(self) -> None:
        """Forget what was loaded: the next event of a subscription sees things as they are then."""
        for loader in (self.jobs, self.schemas, self.inputs, self.batches, self.batch_jobs):
            loader.clear_all()

    async def recount(self) -> None:
        """Read the month's use anew."""
        self.used = (await recheck(self.services, self.caller)).used

    async def attempt(
        self, verb: Callable[[Account], Awaitable[T]], *, acts: bool = True
    ) -> T | list[UserError]:
        """Run a mutation's verb; what the caller can mend comes back as errors for the payload.

        A fault of ours is not among them: it goes up. A verb that only tries something out does
        not act.
        """
        try:
            done = await verb(self.paying_account)
            self.deed.acted |= acts
            return done
        except Error as error:
            if error.status == 500:
                raise
            if isinstance(error, RateLimitExceeded):
                self.used = error.used
            return [user_error(error, docs=self.docs)]

    async def _load_jobs(self, ids: list[int]) -> list[Job | None]:
        found = await get_jobs(self.paying_account, ids)
        return [found.get(job_id) for job_id in ids]

    async def _load_schemas(self, ids: list[int]) -> list[Schema | None]:
        found = await get_schemas(self.paying_account, ids)
        return [found.get(schema_id) for schema_id in ids]

    async def _load_inputs(self, ids: list[int]) -> list[str | None]:
        found = await get_inputs(self.paying_account, ids)
        return [found.get(job_id) for job_id in ids]

    async def _load_batches(self, ids: list[str]) -> list[Batch | None]:
        found = await get_batches(self.paying_account, ids)
        return [found.get(batch_id) for batch_id in ids]

    async def _load_batch_jobs(self, ids: list[str]) -> list[tuple[Job, ...]]:
        found = await get_batch_jobs(self.paying_account, ids)
        return [found[batch_id] for batch_id in ids]


Info = strawberry.Info[Context, None]
