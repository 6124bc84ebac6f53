"""`/jobs`: one job or batch, at once or when it has ended, or a list of jobs; cancel and retry."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from app.domain.accounts.account import Account
from app.domain.batches.batch import Batch, is_batch_id
from app.domain.batches.cancel import cancel_batch
from app.domain.batches.read import get_batch
from app.domain.batches.retry import retry_batch
from app.domain.batches.watch import wait_for_batch
from app.domain.errors import ErrorCode, InvalidRequest
from app.domain.jobs.cancel import cancel_job
from app.domain.jobs.job import Job, JobStatus
from app.domain.jobs.read import JobFilter, get_job, list_jobs
from app.domain.jobs.retry import retry_job
from app.domain.jobs.watch import wait_for_job
from app.domain.keys.authenticate import recheck
from app.domain.services import Services
from app.engines.contract import InputType
from app.http.waiting import disconnected, first_of
from app.rest.call import Call, parse_integer
from app.rest.described import REF
from app.rest.operation import Operation, Parameter
from app.rest.parameters import JOB_ID, PAGE, REQUIRED_JOB_ID, WAIT
from app.rest.rendering import render_batch, render_job
from app.rest.replies import BatchReply, JobListReply, JobReply
from app.rest.reply import Reply


async def get_jobs(call: Call) -> Reply:
    """Return what `id` names, or a page of the account's jobs, newest first."""
    settings = call.services.settings
    limit, offset = call.page()
    which = JobFilter(
        status=call.query_choice("status", JobStatus),
        input_type=call.query_choice("input_type", InputType),
    )
    wait_s = call.wait_s()
    wanted = call.id_text()
    if wanted is not None:
        return await _get_one(call, wanted, wait_s=wait_s)
    page = await list_jobs(call.account, which, limit=limit, offset=offset)
    jobs = [render_job(job, settings) for job in page.jobs]
    return Reply(JobListReply(jobs=jobs, total=page.total, limit=limit, offset=offset))


async def _get_one(call: Call, wanted: str, *, wait_s: int) -> Reply:
    services, caller = call.services, call.caller
    if is_batch_id(wanted):
        if wait_s:
            await _wait(call, wait_for_batch(services, caller, wanted, timeout_s=wait_s))
        return Reply(render_batch(await get_batch(call.account, wanted)))
    job_id = _job_id(wanted)
    if wait_s:
        await _wait(call, wait_for_job(services, caller, job_id, timeout_s=wait_s))
    return Reply(render_job(await get_job(call.account, job_id), services.settings))


def _job_id(wanted: str) -> int:
    return parse_integer(("id",), wanted, kind="an integer, or a batch's id")


async def _wait(call: Call, end: Awaitable[None]) -> None:
    gone = disconnected(call.request.receive)
    await first_of(end, gone, call.services.stopping.wait())


async def post_cancel(call: Call) -> Reply:
    """Cancel a job, or what is left of a batch."""
    return await _change(call, job=cancel_job, batch=cancel_batch)


async def post_retry(call: Call) -> Reply:
    """Try a failed job again, or the failed ones of a batch."""
    return await _change(call, job=retry_job, batch=retry_batch)


async def _change(
    call: Call,
    *,
    job: Callable[[Services, Account, int], Awaitable[Job]],
    batch: Callable[[Services, Account, str], Awaitable[Batch]],
) -> Reply:
    services, wanted = call.services, call.id_text()
    if wanted is None:
        raise InvalidRequest(("id",), "is required")
    if is_batch_id(wanted):
        reply = Reply(render_batch(await batch(services, call.account, wanted)))
    else:
        changed = await job(services, call.account, _job_id(wanted))
        reply = Reply(render_job(changed, services.settings))
    call.used = (await recheck(services, call.caller)).used
    return reply


JOBS = {
    "GET": Operation(
        get_jobs,
        name="getJobs",
        summary="One job or batch, or a page of jobs",
        reply=JobReply | BatchReply | JobListReply,
        query=(
            JOB_ID,
            WAIT,
            *PAGE,
            Parameter(
                "status",
                "Filter by status.",
                {"$ref": REF.format(name="JobStatus")},
            ),
            Parameter(
                "input_type",
                "Filter by input type.",
                {"$ref": REF.format(name="InputType")},
            ),
        ),
        errors=(ErrorCode.JOB_NOT_FOUND,),
    )
}
JOB = {"GET": replace(JOBS["GET"], reply=JobReply | BatchReply, query=(JOB_ID, WAIT))}
CANCEL = {
    "POST": Operation(
        post_cancel,
        name="cancelJob",
        summary="Cancel a job, or what is left of a batch",
        reply=JobReply | BatchReply,
        query=(REQUIRED_JOB_ID,),
        errors=(ErrorCode.JOB_NOT_FOUND, ErrorCode.CONFLICT),
    )
}
RETRY = {
    "POST": Operation(
        post_retry,
        name="retryJob",
        summary="Try a failed job again, or the failed ones of a batch",
        reply=JobReply | BatchReply,
        query=(REQUIRED_JOB_ID,),
        errors=(ErrorCode.JOB_NOT_FOUND, ErrorCode.CONFLICT, ErrorCode.RATE_LIMIT_EXCEEDED),
    )
}
