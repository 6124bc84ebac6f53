"""The name under which a job's model is shown."""

from app.domain.jobs.job import Job
from app.settings import Settings

# The value of CLASSIFAILY_MODEL_LABEL that shows the real model.
AUTO = "auto"


def shown_model(settings: Settings, job: Job) -> str | None:
    """Return the operator's label, or the real model when the label is `auto`.

    None until a model has judged the job.
    """
    if job.model is None:
        return None
    return job.model if settings.model_label == AUTO else settings.model_label
