"""The time that keras.models.load_model takes for a file, without the interpreter's start.

    python keras_load.py PEER FOLDER THREADS

PEER is keras-jax or keras-tensorflow; the file is FOLDER/full.h5. Prints the first call's microseconds: a user loads a
file once.
"""
import json
import time

from readings import arguments, use_keras


def main():
    peer, folder, threads, _ = arguments()
    keras = use_keras(peer, threads)
    start = time.perf_counter()
    model = keras.models.load_model(f"{folder}/full.h5")
    seconds = time.perf_counter() - start
    assert model.count_params() > 2_000_000
    print(json.dumps({"p50": seconds * 1e6}))


if __name__ == "__main__":
    main()
