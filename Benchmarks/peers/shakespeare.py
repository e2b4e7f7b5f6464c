"""Keras on a text, character by character: one LSTM(128) over 50 characters, batches of 50, Adam, two epochs.

    .venv/peers/bin/python Benchmarks/peers/shakespeare.py TEXT [CONFIG.json]

Characters are numbered in sorted order and go in as one-hot vectors; windows follow each other without overlap, and the
target is the next character at each step. The last tenth of the text validates. Prints loss and validation loss of each
epoch; CONFIG.json gets the architecture, for `rnnconv train --config CONFIG.json --data TEXT --batch-size 50 --epochs 2`.
"""
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np

LENGTH = 50


def windows(ids):
    count = (len(ids) - 1) // LENGTH
    x = ids[: count * LENGTH].reshape(count, LENGTH)
    return x, ids[1 : count * LENGTH + 1].reshape(count, LENGTH)


def main(path, config=None):
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    characters = sorted(set(text))
    place = {character: index for index, character in enumerate(characters)}
    ids = np.array([place[character] for character in text], "int32")
    split = len(ids) - len(ids) // 10
    (x, y), (x_val, y_val) = windows(ids[:split]), windows(ids[split:])
    eye = np.eye(len(characters), dtype="float32")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((LENGTH, len(characters))),
            keras.layers.LSTM(128, return_sequences=True),
            keras.layers.Dense(len(characters), activation="softmax"),
        ]
    )
    if config:
        with open(config, "w") as file:
            file.write(model.to_json())
    model.compile("adam", "sparse_categorical_crossentropy")
    history = model.fit(
        eye[x], y, batch_size=50, epochs=2, validation_data=(eye[x_val], y_val), verbose=0).history
    for loss, val_loss in zip(history["loss"], history["val_loss"]):
        print("loss %.4f  val_loss %.4f" % (loss, val_loss))


if __name__ == "__main__":
    main(*sys.argv[1:])
