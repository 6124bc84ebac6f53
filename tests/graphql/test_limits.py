"""The limiter: each limit by name and value, in a time that grows only with the document."""

import time

import pytest
from graphql import GraphQLError, get_introspection_query

from app.graphql.execution import Documents, is_public


def _errors(text: str) -> tuple[GraphQLError, ...]:
    return Documents().prepare(text).errors


def _doubling(levels: int, leaf: str = "id") -> str:
    doubled = "".join(
        f"fragment F{level} on Account{{...F{level + 1} ...F{level + 1}}}"
        for level in range(levels)
    )
    return f"{{viewer{{...F0}}}}{doubled}fragment F{levels} on Account{{{leaf}}}"


TOO_LARGE = {
    "depth": ("{" + "jobs{nodes{batch{results{" * 6 + "id" + "}" * 25, "depth"),
    "aliases": ("{viewer{" + " ".join(f"a{n}:id" for n in range(51)) + "}}", "aliases is 51"),
    "roots": ("{" + " ".join(f"a{n}:__typename" for n in range(21)) + "}", "root fields is 21"),
    "directives": ("{viewer{id " + "@skip(if:false)" * 51 + "}}", "directives is 51"),
    "complexity": ("{jobs(first:100){nodes{batch{results{id status createdAt}}}}}", "complexity"),
    "complexity by variable": (
        "query($n:Int){jobs(first:$n){nodes{batch{results{id status createdAt}}}}}",
        "complexity",
    ),
    "doubling fragments": (_doubling(25), "complexity is 33554433"),
    "repeats": ("{viewer{" + "id " * 61 + "}}", "selections of 'id' is 61"),
    "nested repeats": ("{viewer{" + "limits{requests}" * 900 + "}}", "the limit is 60"),
    "repeats in an unused fragment": (
        "{viewer{id}} fragment F on Account{" + "limits{requests}" * 900 + "}",
        "the limit is 60",
    ),
    "spreads": ("{viewer{" + "...F " * 61 + "}} fragment F on Account{id}", "spreads is 61"),
    "tokens": ("{viewer{" + "id " * 4_000 + "}}", "tokens is more than 4000; the limit is 4000"),
    "length": ("#" + "x" * 200_000 + "\n{viewer{id}}", "the limit is 200000"),
}


@pytest.mark.parametrize(("text", "said"), TOO_LARGE.values(), ids=TOO_LARGE)
def test_names_limit_and_value(text: str, said: str) -> None:
    (error,) = _errors(text)
    assert said in error.message
    assert (error.extensions or {})["code"] == "QUERY_TOO_COMPLEX"


BOMBS = {
    "doubling fragments": _doubling(22),
    "tokens": "{viewer{" + "id " * 30_000 + "}}",
    "aliases": "{viewer{" + " ".join(f"a{n}:id" for n in range(10_000)) + "}}",
    "depth": "{a" * 5_000 + "}" * 5_000,
    "deep list": "{job(id:" + "[" * 3_000,
    "cycle": "{viewer{...A}} fragment A on Account{...B} fragment B on Account{...A}",
    "self": "{viewer{...A}} fragment A on Account{...A}",
    "repeats": "{viewer{" + "usage{period}" * 990 + "}}",
    "fragments": "{viewer{"
    + " ".join(f"...A{n}" for n in range(300))
    + "}}"
    + "".join(f"fragment A{n} on Account{{usage{{period}}}}" for n in range(300)),
    "introspection": "{__schema{types{" + "fields{type{" * 8 + "name" + "}" * 18,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_refuses_a_bomb_quickly(text: str) -> None:
    _errors("{viewer{id}}")
    took = []
    for _ in range(3):
        start = time.process_time()
        assert _errors(text)
        took.append(time.process_time() - start)
    assert min(took) < 0.1


def test_lets_real_operations_through() -> None:
    classify = "classify(input:{input:$t}){job{result{label labels{label}}} errors{code message}}"
    many = " ".join(f"a{n}:{classify}" for n in range(20))
    for text in (
        get_introspection_query(
            descriptions=True, specified_by_url=True, input_value_deprecation=True
        ),
        "{jobs(first:100){totalCount edges{cursor node{id status result{label labels{label}}}}}}",
        f"mutation($t:String!){{{many}}}",
        _doubling(3),
    ):
        assert _errors(text) == ()


@pytest.mark.parametrize(
    ("text", "public"),
    [
        (get_introspection_query(), True),
        ("{__typename}", True),
        ("{__typename viewer{id}}", False),
        ("query A{__typename} query B{viewer{id}}", False),
        ("{...F} fragment F on Query{viewer{id}}", False),
        ("{...{viewer{id}}}", False),
        ("{", False),
        ("", False),
    ],
)
def test_only_the_schema_is_public(text: str, *, public: bool) -> None:
    assert is_public(text) is public
