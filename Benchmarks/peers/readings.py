"""What the peers' scripts share: how a call is timed, and the line that is printed.

A call is repeated for two seconds after half a second that warms up, each repetition timed alone. The line of JSON holds
the median and the 99th percentile in microseconds a unit (a sample, a step, a character) and some of the outputs, which
the caller compares with ours.
"""
import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["JAX_PLATFORMS"] = "cpu"


def timed(call, units=1, seconds=2.0):
    """Microseconds a unit: (median, 99th percentile)."""
    clock = time.perf_counter
    end = clock() + 0.5
    while True:
        call()
        if clock() > end:
            break
    times = []
    end = clock() + seconds
    while len(times) < 10 or (clock() < end and len(times) < 200000):
        start = clock()
        call()
        times.append(clock() - start)
    times.sort()
    return [times[int(len(times) * part)] * 1e6 / units for part in (0.5, 0.99)]


def report(times, outputs):
    p50, p99 = times
    print(json.dumps({"p50": p50, "p99": p99, "outputs": [float(value) for value in outputs]}))


def use_keras(peer, threads):
    """Sets Keras's backend; before Keras is imported."""
    os.environ["KERAS_BACKEND"] = peer[len("keras-"):]
    import keras

    if peer == "keras-tensorflow":
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    return keras


def onnx_session(path, threads):
    """ONNX Runtime with all graph optimizations, as its documentation recommends for latency."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def onnx_call(session, inputs):
    """A call without copies: inputs and outputs are bound once, to memory of ONNX Runtime's own."""
    import onnxruntime

    binding = session.io_binding()
    for name, array in inputs.items():
        binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(array))
    for output in session.get_outputs():
        binding.bind_output(output.name, "cpu")

    def call():
        session.run_with_iobinding(binding)

    return call, binding


def arguments():
    """PEER FOLDER THREADS and whatever follows."""
    return sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
