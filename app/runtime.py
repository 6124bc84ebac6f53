"""Opening and closing what a process works with: database, ledger, engine, broker."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from types import MappingProxyType

from app.answers.redis_answers import RedisAnswers
from app.domain.answers import LedgerAnswers
from app.domain.media.sources import open_media
from app.domain.models.temperatures import load_temperatures
from app.domain.sealing import load_seal
from app.domain.services import Answers, Services
from app.domain.webhooks.reseal import renew_seals
from app.engines.chain import ChainEngine, Link
from app.engines.choice import ChoosingEngine
from app.engines.contract import Engine, InputType
from app.engines.decisions.engine import DecisionEngine, is_decision_model
from app.engines.embedded import EmbeddedEngine
from app.engines.errors import ModelUnavailable, UnknownModel
from app.engines.litellm_provider import close_connections
from app.engines.remote.call import Address
from app.engines.remote.engine import RemoteEngine
from app.engines.remote.temperature import Temperatures
from app.engines.remote.turns import Turns
from app.engines.routing import RoutedEngine
from app.engines.text.own_encoder import OwnEncoder
from app.observability import metrics
from app.observability.engine import WatchedEngine
from app.observability.ledger import TracedLedger
from app.observability.tracing import Tracing
from app.outbound.client import Outbound
from app.outbound.policy import Policy
from app.settings import EMBEDDED, PREFIX, Settings, SettingsError
from app.storage.database import open_ledger, open_orm
from app.workers.background import THREADS, background_work
from app.workers.broker import make_broker
from app.workers.process_signals import ProcessSignals

Fitted = Mapping[str, Temperatures]


def make_engine(
    settings: Settings, fitted: Fitted = MappingProxyType({})
) -> EmbeddedEngine | ChainEngine | RoutedEngine:
    """Return the engine for the configured models, not loaded yet.

    `fitted` are temperatures by model.
    """
    lists = {kind: settings.models_for(kind) for kind in InputType}
    if set(lists.values()) == {(EMBEDDED,)}:
        return make_embedded(settings)
    # A model that judges several kinds of content is one, with one circuit.
    links = {link.name: link for link in make_links(settings, settings.all_models, fitted)}
    chains = {names: ChainEngine([links[name] for name in names]) for names in set(lists.values())}
    if len(chains) == 1:
        return chains.popitem()[1]
    return RoutedEngine({kind: chains[names] for kind, names in lists.items()})


def make_links(
    settings: Settings,
    models: Sequence[str],
    fitted: Fitted = MappingProxyType({}),
    *,
    turns: Turns | None = None,
) -> list[Link]:
    """Return models to be asked in turn, not loaded yet."""
    turns = turns or Turns(settings.model_concurrency)
    return [
        Link(
            name,
            # Each is watched for itself: one that fails is hidden by the next that answers.
            WatchedEngine(
                make_embedded(settings)
                if name == EMBEDDED
                else make_remote(settings, name, turns=turns, temperatures=fitted.get(name)),
                name=name,
            ),
        )
        for name in models
    ]


def make_choosing(settings: Settings, standard: Engine, fitted: Fitted) -> ChoosingEngine:
    """Return an engine for the models that accounts may choose, beside those of the server."""
    turns = Turns(settings.model_concurrency)
    # A model that is asked by both is one, with one circuit.
    links = {link.name: link for link in links_of(standard)}

    def make(name: str) -> Link:
        return links.get(name) or make_links(settings, (name,), fitted, turns=turns)[0]

    return ChoosingEngine(standard, allowed=settings.allowed_models, make=make)


def links_of(engine: Engine) -> list[Link]:
    """Return the models that an engine of the server asks."""
    if isinstance(engine, ChainEngine):
        return list(engine.links)
    if isinstance(engine, RoutedEngine):
        return [link for each in engine.engines for link in links_of(each)]
    return [Link(EMBEDDED, engine)]


def make_remote(
    settings: Settings,
    model: str,
    *,
    turns: Turns,
    temperatures: Temperatures | None = None,
) -> RemoteEngine | DecisionEngine:
    """Return an engine for a model of a provider, not loaded yet.

    It is believed to take the kinds of content that it is named for in particular.
    """
    address = Address(
        model,
        timeout_s=settings.model_timeout,
        api_base=settings.model_api_base or None,
        api_key=settings.model_api_key.get_secret_value() or None,
        price=settings.prices.get(model),
    )
    context = settings.model_context or None
    if is_decision_model(model):
        return DecisionEngine(address, turns=turns, context=context, temperatures=temperatures)
    return RemoteEngine(
        address,
        turns=turns,
        context=context,
        temperatures=temperatures,
        believed=frozenset(kind for kind in InputType if model in settings.own_models_for(kind)),
    )


def make_embedded(settings: Settings) -> EmbeddedEngine:
    """Return the embedded engine, not loaded yet."""
    return EmbeddedEngine(settings.prepared_dir, encoder=settings.text_encoder or None)


def check_models(settings: Settings) -> None:
    """Hold the names of the models against those that LiteLLM knows; load an encoder of one's own.

    Blocking; asks no provider.

    Raises:
        SettingsError: No provider is known for a name, the encoder can't be loaded, or there is no
            folder for models; the message names the variable.
    """
    folder = settings.prepared_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        variable = f"{PREFIX}{'MODELS_DIR' if settings.models_dir else 'DATA_DIR'}"
        raise SettingsError(f"{variable}: {folder} can't be made: {error.strerror}") from None
    if settings.text_encoder:
        try:
            OwnEncoder(settings.text_encoder)
        except ModelUnavailable as error:
            raise SettingsError(f"{PREFIX}TEXT_ENCODER: {error}") from None
    for variable, models in settings.models_by_variable.items():
        remote = tuple(name for name in models if name != EMBEDDED)
        try:
            ChainEngine(make_links(settings, remote)).load()
        except UnknownModel as error:
            raise SettingsError(f"{variable}: {error}") from None


@asynccontextmanager
async def open_engine(
    settings: Settings, fitted: Fitted = MappingProxyType({})
) -> AsyncIterator[EmbeddedEngine | ChainEngine | RoutedEngine]:
    """Open the engine alone for the length of a block. It needs no database."""
    engine = make_engine(settings, fitted)
    try:
        await asyncio.to_thread(engine.load)
        yield engine
    finally:
        engine.close()
        await close_connections()


@asynccontextmanager
async def open_services(
    settings: Settings,
    *,
    works: bool,
    threads: int = THREADS,
    tracing: Tracing | None = None,
) -> AsyncIterator[Services]:
    """Open everything for the length of a block; the database must be migrated.

    A process that `works` does background work too.
    """
    metrics.process_started()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(open_orm(settings.database))
        fitted = await load_temperatures()
        engine = await stack.enter_async_context(open_engine(settings, fitted))
        ledger = await stack.enter_async_context(open_ledger(settings.database))
        broker = make_broker(settings.broker_url)
        redis_url = None if settings.broker_is_embedded else settings.broker_url
        signals = ProcessSignals(broker, redis_url=redis_url)
        stack.push_async_callback(signals.close)
        outbound = Outbound(Policy(private=settings.private_hosts))
        stack.push_async_callback(outbound.aclose)
        answers: Answers = LedgerAnswers(ledger)
        if redis_url is not None:
            remembered = RedisAnswers(redis_url)
            stack.push_async_callback(remembered.close)
            answers = remembered
        standard: Engine = (
            engine
            if isinstance(engine, ChainEngine | RoutedEngine)
            else WatchedEngine(engine, name=settings.model)
        )
        if settings.allowed_models:
            standard = make_choosing(settings, standard, fitted)
            stack.callback(standard.close)
        services = Services(
            settings=settings,
            ledger=ledger if tracing is None else TracedLedger(ledger),
            engine=standard,
            signals=signals,
            outbound=outbound,
            media=stack.enter_context(open_media(settings, outbound)),
            answers=answers,
            seal=await asyncio.to_thread(load_seal, settings),
            tracing=tracing,
        )
        await renew_seals(services.seal)
        if works:
            await stack.enter_async_context(background_work(services, broker, threads=threads))
        yield services
