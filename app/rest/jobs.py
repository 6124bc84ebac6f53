"""`GET /jobs`: one job or batch by id, or a list of jobs."""

from dataclasses import replace

from app.domain.batches.batch import is_batch_id
from app.domain.batches.read import get_batch
from app.domain.errors import ErrorCode
from app.domain.jobs.inputs import get_inputs
from app.domain.jobs.job import JobStatus
from app.domain.jobs.read import JobFilter, get_job, list_jobs
from app.engines.contract import InputType
from app.rest.call import Call, parse_integer
from app.rest.described import REF
from app.rest.operation import Operation, Parameter
from app.rest.parameters import JOB_ID, PAGE
from app.rest.rendering import render_batch, render_job
from app.rest.replies import BatchReply, JobListReply, JobReply
from app.rest.reply import Reply
from app.rest.sets_replies import SetsReply


async def get_jobs(call: Call) -> Reply:
    """Return what `id` names, or a page of the account's jobs, newest first."""
    settings = call.services.settings
    limit, offset = call.page()
    which = JobFilter(
        status=call.query_choice("status", JobStatus),
        input_type=call.query_choice("input_type", InputType),
    )
    wanted = call.id_text()
    if wanted is not None and is_batch_id(wanted):
        return Reply(render_batch(await get_batch(call.account, wanted)))
    if wanted is not None:
        job_id = parse_integer(("id",), wanted, kind="an integer, or a batch's id")
        job = await get_job(call.account, job_id)
        inputs = await get_inputs(call.account, [job.id])
        return Reply(render_job(job, settings, content=inputs.get(job.id)))
    page = await list_jobs(call.account, which, limit=limit, offset=offset)
    jobs = [render_job(job, settings) for job in page.jobs]
    return Reply(JobListReply(jobs=jobs, total=page.total, limit=limit, offset=offset))


JOBS = {
    "GET": Operation(
        get_jobs,
        name="getJobs",
        summary="One job or batch, or a page of jobs",
        reply=JobReply | BatchReply | SetsReply | JobListReply,
        query=(
            JOB_ID,
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
JOB = {"GET": replace(JOBS["GET"], reply=JobReply | BatchReply | SetsReply, query=(JOB_ID,))}
