"""How every encoder's graph is run."""

from pathlib import Path

import onnxruntime as ort


def open_session(graph: Path, *, optimise: bool = True) -> ort.InferenceSession:
    """Open a graph for one thread a call: the server is parallel over requests."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # The arena would keep for good what the longest text ever took.
    options.enable_cpu_mem_arena = False
    # Errors come as exceptions; warnings are about fusions that did not apply.
    options.log_severity_level = 3
    level = ort.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimise else level.ORT_ENABLE_BASIC
    return ort.InferenceSession(
        str(graph),
        options,
        providers=["CPUExecutionProvider"],
        # It joins each sum with its normalisation, in a kernel slower than the two.
        disabled_optimizers=["SkipLayerNormFusion"],
    )
