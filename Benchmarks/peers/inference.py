"""One peer running a model on a batch.

    python inference.py PEER FOLDER THREADS MODEL

PEER is onnxruntime, pytorch, keras-jax or keras-tensorflow. FOLDER holds MODEL.onnx, MODEL.pt, MODEL.keras and
MODEL.npz, whose one array x is the batch. Prints microseconds a sample; see readings.py.
"""
import numpy as np

from readings import arguments, onnx_call, onnx_session, report, timed, use_keras


def with_onnxruntime(path, x, threads):
    session = onnx_session(path + ".onnx", threads)
    call, binding = onnx_call(session, {session.get_inputs()[0].name: x})
    return call, lambda: binding.copy_outputs_to_cpu()[0]


def with_pytorch(path, x, threads):
    import torch

    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    from torch_networks import network

    module = network(torch.load(path + ".pt", weights_only=True)).eval()
    x = torch.from_numpy(x)

    def call():
        with torch.inference_mode():
            return module(x)

    return call, lambda: call().numpy()


def with_keras(peer, path, x, threads):
    keras = use_keras(peer, threads)
    model = keras.saving.load_model(path + ".keras", compile=False)
    if peer == "keras-jax":
        import jax

        weights = [variable.value for variable in model.trainable_variables], [
            variable.value for variable in model.non_trainable_variables]
        function = jax.jit(lambda values: model.stateless_call(*weights, values, training=False)[0])
        x = jax.numpy.asarray(x)
        return (lambda: function(x).block_until_ready()), (lambda: np.asarray(function(x)))
    import tensorflow

    function = tensorflow.function(lambda values: model(values, training=False))
    x = tensorflow.constant(x)
    return (lambda: function(x).numpy()), (lambda: function(x).numpy())


def main():
    peer, folder, threads, (model,) = arguments()
    path = f"{folder}/{model}"
    with np.load(path + ".npz") as archive:
        x = archive["x"]
    if peer == "onnxruntime":
        call, outputs = with_onnxruntime(path, x, threads)
    elif peer == "pytorch":
        call, outputs = with_pytorch(path, x, threads)
    else:
        call, outputs = with_keras(peer, path, x, threads)
    times = timed(call, units=len(x))
    report(times, np.ravel(outputs())[:8])


if __name__ == "__main__":
    main()
