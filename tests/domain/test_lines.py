"""The lines of a file: what is read of them, and what is said of those that are wrong."""

import pytest

from app.domain.batches.batch import BatchItemRequest
from app.domain.errors import Error, InvalidRequest
from app.domain.files.file import FileFormat
from app.domain.files.lines import Line, read_lines
from app.engines.contract import Category, InputType


def read(text: str | bytes, file_format: FileFormat = FileFormat.CSV) -> list[Line]:
    return list(read_lines(text.encode() if isinstance(text, str) else text, file_format))


def inputs(lines: list[Line]) -> list[str]:
    return [line.item.input for line in lines if isinstance(line.item, BatchItemRequest)]


def problem(line: Line) -> str:
    assert isinstance(line.item, Error)
    return line.item.message


def test_a_quoted_field_may_hold_commas_quotes_and_newlines() -> None:
    lines = read('id,text\na,"one, ""two""\nthree"\nb,four\n')
    assert inputs(lines) == ['one, "two"\nthree', "four"]
    assert [(line.id, line.number) for line in lines] == [("a", 2), ("b", 4)]


@pytest.mark.parametrize("text", ["\ufefftext\r\nà\r\n\r\nb\r\n", "text\nà\n\nb", " Text \nà\nb\n"])
def test_a_mark_of_order_windows_line_ends_and_blank_lines_are_no_content(text: str) -> None:
    lines = read(text)
    assert inputs(lines) == ["à", "b"]
    # Without an id of its own, a line is called by its number.
    assert [line.id for line in lines] == [str(line.number) for line in lines]


def test_json_lines_are_items_of_a_batch() -> None:
    one, two = read(
        b'\xef\xbb\xbf{"id": 7, "text": "a", "type": "image", "schema": 3}\r\n\n'
        b'{"input": "b", "text": "not this", "categories": ["x", {"name": "y"}], "other": 1}',
        FileFormat.JSONL,
    )
    assert one.item == BatchItemRequest("a", "7", InputType.IMAGE, None, 3)
    assert two.item == BatchItemRequest("b", "3", None, [Category("x"), Category("y")], None)


@pytest.mark.parametrize(
    ("text", "line_id", "said"),
    [
        ("{", "1", "it is not valid JSON"),
        ("[1]", "1", "it must be a JSON object, not an array"),
        ('{"id": "a"}', "a", "input: is required"),
        ('{"id": "a", "input": 5}', "a", "input: must be a string, got an integer"),
        ('{"id": "a", "input": "x", "type": "smell"}', "a", "type: must be one of text, image"),
        ('{"id": "' + "a" * 201 + '", "input": "x"}', "1", "id: must be at most 200"),
        ('{"id": [], "input": "x"}', "1", "id: must be"),
        ('{"id": "a", "input": "\\ud800"}', "1", "input: must be valid Unicode"),
        ('{"id": "a", "input": "x", "categories": [1]}', "a", "categories[0]: must be"),
        ("[" * 100_000, "1", "it is"),
    ],
)
def test_a_wrong_line_is_wrong_alone(text: str, line_id: str, said: str) -> None:
    wrong, right = read(f'{text}\n{{"input": "y"}}', FileFormat.JSONL)
    assert wrong.id == line_id
    assert said in problem(wrong)
    assert inputs([right]) == ["y"]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("a,text,one,two", "it has 4 columns, the header 3"),
        ("a,smell,x", "type: must be one of text, image, audio, video, got 'smell'"),
        ('a,,"x"y', "it is not CSV"),
        ("a", "input: is required"),
    ],
)
def test_a_wrong_record_is_wrong_alone(record: str, said: str) -> None:
    wrong, right = read(f"id,type,input\n{record}\nb,,y\n")
    assert said in problem(wrong)
    assert inputs([right]) == ["y"]


def test_a_quote_that_is_never_closed_swallows_nothing_silently() -> None:
    right, wrong = read('text\na\n"b\nc\n')
    assert inputs([right]) == ["a"]
    assert (wrong.number, "it is not CSV" in problem(wrong)) == (3, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"text\na\n\xff\n", "must be UTF-8, but line 3 is not"),
        (b"a,b\n1,2\n", "needs a column named input or text, but its header is 'a', 'b'"),
        (b"", "its header is nothing"),
        (b"text,text\na,b\n", "more than one column named text"),
        (b'"text', "no header that can be read"),
    ],
)
def test_what_leaves_no_line_to_read_is_wrong_with_the_file(content: bytes, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as raised:
        read_lines(content, FileFormat.CSV)
    assert raised.value.field == "file"
