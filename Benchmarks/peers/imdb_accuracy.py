"""Keras's accuracy on the IMDB reviews: the published network, trained on the 25,000, validated on the other 25,000.

    .venv/keras-3.15/bin/python Benchmarks/peers/imdb_accuracy.py IMDB.npz [SEED ...]

IMDB.npz is the file that Keras publishes. It is read as keras.datasets.imdb.load_data(num_words=20000) reads it,
without its download. Prints the validation accuracy after each of two epochs, for each seed.
"""
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np

from keras_networks import LENGTH, WORDS, build


def load(path):
    with np.load(path, allow_pickle=True) as archive:
        halves = [[archive[name + part] for name in ("x_", "y_")] for part in ("train", "test")]
    generator = np.random.RandomState(seed=113)
    found = []
    for x, y in halves:
        order = np.arange(len(x))
        generator.shuffle(order)
        rows = [[1] + [word + 3 for word in row] for row in x[order]]
        rows = [[word if word < WORDS else 2 for word in row] for row in rows]
        found += [keras.utils.pad_sequences(rows, maxlen=LENGTH), y[order]]
    return found


def main(path, seeds):
    x, y, x_test, y_test = load(path)
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        model = build()
        model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
        history = model.fit(x, y, batch_size=30, epochs=2, validation_data=(x_test, y_test), verbose=0).history
        print(seed, *("%.4f" % value for value in history["val_accuracy"]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], [int(seed) for seed in sys.argv[2:]] or [0, 1, 2])
