"""Writes the published network at full size, with Adam's state after one step: the file that the benchmarks import.

Embedding(20000, 128) -> Dropout(0.25) -> Conv1D(64, 5, valid, relu) -> MaxPooling1D(4) -> LSTM(70) -> Dense(1)
-> Activation(sigmoid) over 100 word ids: 2.6 M parameters, 31.7 MB with the optimizer.

    .venv/keras-3.15/bin/python Benchmarks/peers/full_size.py OUT.h5
"""
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np


def main(path):
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.Input((100,), dtype="int32"),
            keras.layers.Embedding(20000, 128),
            keras.layers.Dropout(0.25),
            keras.layers.Conv1D(64, 5, padding="valid", activation="relu", strides=1),
            keras.layers.MaxPooling1D(pool_size=4),
            keras.layers.LSTM(70),
            keras.layers.Dense(1),
            keras.layers.Activation("sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    generator = np.random.default_rng(7)
    ids = generator.integers(1, 20000, size=(30, 100)).astype("int32")
    model.fit(ids, generator.integers(0, 2, size=30), batch_size=30, epochs=1, verbose=0)
    model.save(path)


if __name__ == "__main__":
    main(sys.argv[1])
