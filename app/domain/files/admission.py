"""From a file to lines that may be judged, before anything of it is written.

What lines have in common (categories, a schema, the options) is admitted once and becomes a
template; a line then holds its content and the number of its template. A line that can't be judged
is refused alone, with the error that it would have had as a request; what is wrong with the file's
own settings refuses all.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import msgspec

from app.domain.accounts.account import Account
from app.domain.batches.batch import BatchItemRequest
from app.domain.classification.admission import Admitted, admit, check_input, load_schemas
from app.domain.classification.request import (
    ClassifyRequest,
    check_categories,
    check_content,
    check_options,
    check_schema_id,
)
from app.domain.errors import Error, InvalidRequest, PlanRestriction
from app.domain.files.file import MAX_LINES, FileRequest, RefusedLine
from app.domain.files.lines import Line, read_lines
from app.domain.jobs.job import PREVIEW_LENGTH
from app.domain.jobs.payload import dump_payload
from app.domain.plans import cheapest_plan
from app.domain.services import Services
from app.engines.contract import Category, InputType
from app.storage.ledger.records import FileLine, FileLot, Template

# A lot becomes jobs in one step, some ten milliseconds long: so many lines, of so many characters.
LOT_LINES = 128
LOT_LENGTH = 1_000_000
# Each job shows its categories' names. More than this, over all lines, is more database than file.
MAX_SHOWN_NAMES = 256 * 1024 * 1024
# Lines that each name a large schema must not make a small file a large one.
MAX_TEMPLATES_LENGTH = 64 * 1024 * 1024
# The column's width.
_MESSAGE_LENGTH = 500
_BETWEEN_PAUSES = 64
_FIRST_REFUSED = 100

_Key = tuple[InputType | None, int | None, tuple[Category, ...] | None]


@dataclass(slots=True)
class AdmittedFile:
    """What a file comes to: lines in lots, and what they count.

    `admitted` are the tasks of its templates, without content.
    """

    refused_lots: list[list[FileLine]] = field(default_factory=list)
    judged_lots: list[list[FileLine]] = field(default_factory=list)
    templates: list[Template] = field(default_factory=list)
    admitted: list[Admitted] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    first_refused: list[RefusedLine] = field(default_factory=list)

    def lots(self) -> Iterator[FileLot]:
        """Yield the lots to write, refused lines first, each with the templates new in it."""
        written = 0
        for position, lot in enumerate((*self.refused_lots, *self.judged_lots)):
            upto = max(written, *(line.template + 1 for line in lot))
            new, written = self.templates[written:upto], upto
            lines = msgspec.json.encode(lot).decode()
            yield FileLot(position, size=len(lot), lines=lines, templates=tuple(new))


async def admit_file(services: Services, account: Account, request: FileRequest) -> AdmittedFile:
    """Hold a file and each of its lines to the rules.

    Raises:
        InvalidRequest: A setting is out of its range; or the file can't be read, has too many
            lines, or has none that can be judged.
        PlanRestriction: The plan lacks files, or something that the file's settings ask for.
        NotFound: The file's schema does not exist.
    """
    check_categories(request.categories)
    check_schema_id(("schema",), request.schema)
    check_options(top_n=request.top_n, threshold=request.threshold, min_margin=request.min_margin)
    lines = read_lines(request.content, request.format)
    _check_plan(account)
    admission = _Admission(services, account, request)
    await admission.open()
    for count, line in enumerate(lines, start=1):
        if count > MAX_LINES:
            raise InvalidRequest(("file",), f"must hold at most {MAX_LINES} lines")
        await admission.take(line)
        if count % _BETWEEN_PAUSES == 0:
            # Others are served in between.
            await asyncio.sleep(0)
    return admission.close()


def _check_plan(account: Account) -> None:
    if account.limits.batch_files:
        return
    required = cheapest_plan(lambda limits: limits.batch_files)
    raise PlanRestriction(
        "batch_files",
        required=required,
        message="Batch files are not available on your plan. "
        f"Upgrade to {required.value} or above.",
    )


class _Admission:
    """Takes the lines of one file, one after the other."""

    def __init__(self, services: Services, account: Account, request: FileRequest) -> None:
        self._services = services
        self._account = account
        self._request = request
        self._known: dict[_Key, int | Error] = {}
        self._templates_length = 0
        self._seen: dict[str, int] = {}
        self._file = AdmittedFile()
        self._judged = _Lots(self._file.judged_lots)
        self._refused = _Lots(self._file.refused_lots)
        self._names = 0
        self._count = 0

    async def open(self) -> None:
        """Admit the file's own settings, as its first template."""
        request = self._request
        categories = None if request.categories is None else tuple(request.categories)
        self._known[(None, None, None)] = self._keep(
            await self._admit(request.type, request.schema, categories)
        )

    async def take(self, line: Line) -> None:
        """Admit or refuse a line."""
        index, self._count = self._count, self._count + 1
        first = self._seen.setdefault(line.id, line.number)
        if isinstance(line.item, Error):
            self._refuse(index, line, line.item)
        elif first != line.number:
            problem = f"must be unique, but line {first} has the same"
            self._refuse(index, line, InvalidRequest(("id",), problem))
        else:
            try:
                check_content(("input",), line.item.input)
                number = await self._template_of(line.item)
                input_type = self._file.admitted[number].task.input_type
                check_input(self._services, ("input",), line.item.input, input_type)
            except Error as error:
                self._refuse(index, line, error)
            else:
                self._accept(index, line.id, line.item.input, number=number)

    def _accept(self, index: int, item_id: str, content: str, *, number: int) -> None:
        admitted = self._file.admitted[number]
        kind = admitted.task.input_type.value
        self._judged.add(
            FileLine(
                index=index,
                item_id=item_id,
                input_type=kind,
                template=number,
                content=content,
                input_preview=content[:PREVIEW_LENGTH] if admitted.store else None,
            ),
            length=len(content),
        )
        self._file.requests[kind] += 1
        self._names += sum(map(len, admitted.category_names or ()))
        if self._names > MAX_SHOWN_NAMES:
            raise InvalidRequest(
                ("categories",), "are too long to be shown with each line: split the file"
            )

    def close(self) -> AdmittedFile:
        """Return what the lines came to."""
        file = self._file
        if not file.requests:
            reason = (
                f"the first is refused: {file.first_refused[0].error.message}"
                if file.first_refused
                else "it is empty"
            )
            raise InvalidRequest(("file",), f"has no line that can be judged; {reason}")
        return file

    async def _template_of(self, item: BatchItemRequest) -> int:
        categories = None if item.categories is None else tuple(item.categories)
        key = (item.type, item.schema, categories)
        known = self._known.get(key)
        if known is None:
            known = await self._new_template(key)
            self._known[key] = known
        if isinstance(known, Error):
            raise known
        return known

    async def _new_template(self, key: _Key) -> int | Error:
        input_type, schema, categories = key
        if schema is None and categories is None:
            # As the file says, but for the type.
            given = self._request.categories
            schema = self._request.schema
            categories = None if given is None else tuple(given)
        try:
            check_categories(categories)
            check_schema_id(("schema",), schema)
            admitted = await self._admit(input_type or self._request.type, schema, categories)
        except Error as error:
            return error
        return self._keep(admitted)

    def _keep(self, admitted: Admitted) -> int:
        template = _template(len(self._file.templates), admitted)
        self._file.admitted.append(admitted)
        self._file.templates.append(template)
        self._templates_length += len(template.template)
        if self._templates_length > MAX_TEMPLATES_LENGTH:
            raise InvalidRequest(
                ("file",), "asks for too many different categories: split the file"
            )
        return template.number

    async def _admit(
        self,
        input_type: InputType | None,
        schema_id: int | None,
        categories: tuple[Category, ...] | None,
    ) -> Admitted:
        request = self._request
        wanted = ClassifyRequest(
            input="",
            type=input_type,
            categories=categories,
            mode=request.mode,
            top_n=request.top_n,
            threshold=request.threshold,
            explain=request.explain,
            allow_none=request.allow_none,
            min_margin=request.min_margin,
            store=request.store,
        )
        if schema_id is None:
            return admit(self._services, self._account, wanted, None, input_path=None)
        schemas = await load_schemas(self._services, self._account, [schema_id])
        return admit(self._services, self._account, wanted, schemas[schema_id], input_path=None)

    def _refuse(self, index: int, line: Line, error: Error) -> None:
        message = f"Line {line.number}: {error.message}"[:_MESSAGE_LENGTH]
        refusal = Error(message, code=error.error_code)
        kind = self._file.admitted[0].task.input_type.value
        code = refusal.error_code.value
        self._refused.add(FileLine(index, line.id, kind, 0, error=(code, message)), length=0)
        self._file.refused += 1
        if len(self._file.first_refused) < _FIRST_REFUSED:
            self._file.first_refused.append(RefusedLine(line.id, refusal))


class _Lots:
    """Lines in lots of a bounded size."""

    def __init__(self, lots: list[list[FileLine]]) -> None:
        self._lots = lots
        self._length = 0

    def add(self, line: FileLine, *, length: int) -> None:
        """Put a line into the last lot, or into a new one."""
        self._length += length
        if not self._lots or self._length > LOT_LENGTH or len(self._lots[-1]) == LOT_LINES:
            self._lots.append([])
            self._length = length
        self._lots[-1].append(line)


def _template(number: int, admitted: Admitted) -> Template:
    return Template(
        number=number,
        mode=admitted.task.mode.value,
        categories=admitted.category_names,
        schema_id=admitted.schema_id,
        template=dump_payload(replace(admitted, task=replace(admitted.task, content=""))),
    )
