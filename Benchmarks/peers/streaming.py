"""ONNX Runtime on one step of a small LSTM: x (1, 1, 1) and the states in, y and the states out.

    python streaming.py onnxruntime FOLDER THREADS UNITS

Prints microseconds a step; see readings.py. The states stay bound, as the cheapest way to call it: the step's own time
does not depend on their values.
"""
import numpy as np

from readings import arguments, onnx_call, onnx_session, report, timed


def main():
    _, folder, threads, (units,) = arguments()
    session = onnx_session(f"{folder}/streaming{units}.onnx", threads)
    shapes = [(1, 1, 1)] + [(1, int(units))] * 2
    inputs = {given.name: np.full(shape, value, "float32")
              for given, shape, value in zip(session.get_inputs(), shapes, (0.5, 0, 0))}
    call, binding = onnx_call(session, inputs)
    times = timed(call)
    report(times, np.ravel(binding.copy_outputs_to_cpu()[0])[:8])


if __name__ == "__main__":
    main()
