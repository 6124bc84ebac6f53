"""Operations on a PostgreSQL connection, several side by side.

What costs on PostgreSQL is the way there and back. Operations of one transaction go in step: those
that have come to the same statement ask together, in one go, where the rows can be told apart.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from asyncpg.pool import PoolConnectionProxy

from app.storage.operation import Many, Query, Row, Rows, Statement, Steps

_Asked = Query | Many


async def run_together(several: Sequence[Steps[Any]], connection: PoolConnectionProxy) -> list[Any]:
    """Run operations to their ends and return their results in order."""
    results: dict[int, Any] = {}
    asked: dict[int, _Asked] = {}
    answers: dict[int, list[Row] | None] = dict.fromkeys(range(len(several)))
    while answers:
        asked.clear()
        for place, rows in answers.items():
            steps = several[place]
            try:
                asked[place] = next(steps) if rows is None else steps.send(rows)
            except StopIteration as end:
                results[place] = end.value
        answers = {**await _answer(asked, connection)}
    return [results[place] for place in range(len(several))]


async def _answer(
    asked: Mapping[int, _Asked], connection: PoolConnectionProxy
) -> dict[int, list[Row]]:
    by_statement: dict[Statement, list[int]] = {}
    for place, query in asked.items():
        by_statement.setdefault(query.statement, []).append(place)
    answers: dict[int, list[Row]] = {}
    for statement, places in by_statement.items():
        if statement.rows is Rows.ANY:
            for place in places:
                answers[place] = await _ask(asked[place], connection)
        else:
            answers |= await _ask_together(
                statement, {place: asked[place] for place in places}, connection
            )
    return answers


async def _ask(query: _Asked, connection: PoolConnectionProxy) -> list[Row]:
    statement = query.statement
    if isinstance(query, Query):
        values = _values(statement, query.parameters)
        return list(await connection.fetch(statement.postgres, *values))
    every = [_values(statement, each) for each in query.parameters]
    return list(await connection.fetchmany(statement.postgres, every))


async def _ask_together(
    statement: Statement, asked: Mapping[int, _Asked], connection: PoolConnectionProxy
) -> dict[int, list[Row]]:
    sets = {
        place: query.parameters if isinstance(query, Many) else [query.parameters]
        for place, query in asked.items()
    }
    every = [_values(statement, each) for parameters in sets.values() for each in parameters]
    if statement.rows is Rows.NONE:
        await connection.executemany(statement.postgres, every)
        return {place: [] for place in sets}
    rows = iter(await connection.fetchmany(statement.postgres, every))
    return {place: [next(rows) for _ in parameters] for place, parameters in sets.items()}


def _values(statement: Statement, parameters: Mapping[str, Any]) -> Sequence[Any]:
    return [parameters[name] for name in statement.names]
