"""What is measured against one another: the product, and a bare route on the same engine."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import runtime
from app.engines.contract import (
    Category,
    ConfidenceSource,
    Engine,
    InputType,
    Label,
    Outcome,
    Task,
)
from app.engines.embedded import EmbeddedEngine
from app.engines.errors import EngineError
from app.server import create_app

FREE_MODEL = "BENCHMARK_FREE_MODEL"


class FreeEngine:
    """A model that costs nothing, to show what everything else costs."""

    input_types = frozenset({InputType.TEXT})
    is_loaded = True

    confidence_source = ConfidenceSource.CALIBRATED

    def load(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    async def identity(self, task: Task) -> str:
        """Return its name."""
        return "free"

    async def most_cost(self, task: Task) -> int:
        """Return 0."""
        return 0

    async def classify(self, task: Task) -> Outcome:
        """Answer the first category."""
        name = task.categories[0].name if task.categories else "generic"
        labels = (Label(name, 0.9),)
        return Outcome(
            labels, tokens=8, confidence_source=ConfidenceSource.CALIBRATED, model="free"
        )

    async def classify_many(self, tasks: Sequence[Task]) -> list[Outcome | EngineError]:
        """Answer each."""
        return [await self.classify(task) for task in tasks]


def make_engine() -> FreeEngine | EmbeddedEngine:
    """Return the engine that the environment asks for."""
    if os.environ.get(FREE_MODEL):
        return FreeEngine()
    return EmbeddedEngine(Path(os.environ["CLASSIFAILY_DATA_DIR"]) / "models")


def product() -> Starlette:
    """The product, with the engine that the environment asks for."""
    runtime.make_engine = lambda *_: make_engine()  # type: ignore[assignment, return-value]
    return create_app()


class _Body(msgspec.Struct):
    input: str
    categories: list[str]


def bare() -> Starlette:
    """One route that parses, calls the engine and answers: no keys, no quota, no storage."""
    engine: Engine = make_engine()
    encode = msgspec.json.Encoder().encode
    decode = msgspec.json.Decoder(_Body).decode

    async def classify(request: Request) -> Response:
        body = decode(await request.body())
        task = Task(body.input, categories=tuple(map(Category, body.categories)))
        label = (await engine.classify(task)).labels[0]
        return Response(encode({"label": label.label, "confidence": label.confidence}))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        engine.load()  # type: ignore[attr-defined]
        yield
        engine.close()  # type: ignore[attr-defined]

    return Starlette(
        routes=[
            Route("/classify", classify, methods=["POST"]),
            Route("/healthz", lambda _request: Response("ok")),
        ],
        lifespan=lifespan,
    )
