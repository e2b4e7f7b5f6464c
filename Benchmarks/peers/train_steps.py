"""One peer training the published network on given batches.

    python train_steps.py PEER BATCHES.npz THREADS

PEER is keras-jax, keras-tensorflow or pytorch. BATCHES.npz holds x (rows, 100) int32 and y (rows,) int32; thirty rows are
a batch. One pass warms up (compilation included), the next is timed. Prints a line of JSON: milliseconds a step, and the
loss of the second pass, which shows that something was learned. For one thread the caller binds it to one core.

Each peer runs in the mode that was fastest of those tried: Keras on JAX compiled, Keras on TensorFlow with its own
kernels (XLA takes 5 times as long for this network), PyTorch without its compiler (which leaves LSTM alone) and with its
fused Adam.
"""
import json
import os
import sys
import time

PEER, PATH, THREADS = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["JAX_PLATFORMS"] = "cpu"
if PEER.startswith("keras-"):
    os.environ["KERAS_BACKEND"] = PEER[len("keras-"):]

import numpy as np

BATCH, WORDS = 30, 20000


def with_keras(x, y):
    import keras

    if PEER == "keras-tensorflow":
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(THREADS)
        tensorflow.config.threading.set_inter_op_parallelism_threads(THREADS)
    keras.utils.set_random_seed(0)
    from network import build

    model = build()
    model.compile("adam", "binary_crossentropy", jit_compile=PEER == "keras-jax")

    def epoch():
        return model.fit(x, y, batch_size=BATCH, epochs=1, shuffle=False, verbose=0).history["loss"][0]

    return epoch


def with_pytorch(x, y):
    import torch

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(WORDS, 128)
            torch.nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
            self.dropout = torch.nn.Dropout(0.25)
            self.convolution = torch.nn.Conv1d(128, 64, 5)
            self.pool = torch.nn.MaxPool1d(4)
            self.lstm = torch.nn.LSTM(64, 70, batch_first=True)
            self.dense = torch.nn.Linear(70, 1)

        def forward(self, ids):
            steps = self.dropout(self.embedding(ids)).transpose(1, 2)
            steps = self.pool(torch.relu(self.convolution(steps))).transpose(1, 2)
            return self.dense(self.lstm(steps)[0][:, -1])[:, 0]

    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), eps=1e-7, fused=True)
    x, y = torch.from_numpy(x), torch.from_numpy(y.astype("float32"))

    def epoch():
        total = 0.0
        for start in range(0, len(x), BATCH):
            optimizer.zero_grad(set_to_none=True)
            logits = network(x[start:start + BATCH])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, y[start:start + BATCH])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(logits)
        return total / len(x)

    return epoch


def main():
    with np.load(PATH) as archive:
        x, y = archive["x"].astype("int32"), archive["y"].astype("int32")
    epoch = (with_pytorch if PEER == "pytorch" else with_keras)(x, y)
    epoch()
    start = time.perf_counter()
    loss = epoch()
    seconds = time.perf_counter() - start
    steps = -(-len(x) // BATCH)
    print(json.dumps({"milliseconds": seconds / steps * 1000, "loss": float(loss)}))


if __name__ == "__main__":
    main()
