"""One peer training a network on given batches with Adam.

    python training.py PEER FOLDER THREADS MODEL

PEER is keras-jax, keras-tensorflow or pytorch; MODEL imdb (the published network) or characters (embedding 96 x 64, two
LSTMs of 256, a softmax at each step). FOLDER/MODEL.batches.npz holds x and y, int32; 30 and 32 rows are a batch. One pass
warms up (compilation included), the next is timed. Prints a line of JSON: microseconds a step or a character, and the loss
of the second pass, which shows that something was learned. For one thread the caller binds it to one core.

Each peer runs in the mode that was fastest of those tried: Keras on JAX compiled, Keras on TensorFlow with its own
kernels (XLA takes 5 times as long for the published network), PyTorch without its compiler (which leaves LSTM alone) and
with its fused Adam.
"""
import json
import time

import numpy as np

from readings import arguments, use_keras


def with_keras(peer, threads, name, x, y, batch):
    keras = use_keras(peer, threads)
    keras.utils.set_random_seed(0)
    from keras_networks import build, build_characters

    model, loss = (
        (build(), "binary_crossentropy") if name == "imdb" else (build_characters(), "sparse_categorical_crossentropy"))
    model.compile("adam", loss, jit_compile=peer == "keras-jax")
    return lambda: model.fit(x, y, batch_size=batch, epochs=1, shuffle=False, verbose=0).history["loss"][0]


def with_pytorch(threads, name, x, y, batch):
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    from torch_networks import CharacterLSTM, Sentiment

    functional = torch.nn.functional
    if name == "imdb":
        network = Sentiment()
        torch.nn.init.uniform_(network.embedding.weight, -0.05, 0.05)
        y = torch.from_numpy(y.astype("float32"))

        def loss_of(rows):
            return functional.binary_cross_entropy_with_logits(network.logits(x[rows])[:, 0], y[rows])
    else:
        network = CharacterLSTM()
        y = torch.from_numpy(y.astype("int64"))

        def loss_of(rows):
            return functional.cross_entropy(network(x[rows]).flatten(0, 1), y[rows].flatten())

    optimizer = torch.optim.Adam(network.parameters(), eps=1e-7, fused=True)
    x = torch.from_numpy(x)

    def epoch():
        total = 0.0
        for start in range(0, len(x), batch):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(slice(start, start + batch))
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total * batch / len(x)

    return epoch


def main():
    peer, folder, threads, (name,) = arguments()
    with np.load(f"{folder}/{name}.batches.npz") as archive:
        x, y = archive["x"].astype("int32"), archive["y"].astype("int32")
    batch, units = (30, len(x) // 30) if name == "imdb" else (32, x.size)
    epoch = (
        with_pytorch(threads, name, x, y, batch) if peer == "pytorch" else with_keras(peer, threads, name, x, y, batch))
    epoch()
    start = time.perf_counter()
    loss = epoch()
    microseconds = (time.perf_counter() - start) / units * 1e6
    print(json.dumps({"p50": microseconds, "loss": float(loss)}))


if __name__ == "__main__":
    main()
