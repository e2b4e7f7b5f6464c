"""What a program in Python would do with one sentence: words to ids, ONNX Runtime, print. Timed from outside.

    python onnx_cold.py FOLDER SENTENCE
"""
import json
import sys

import numpy as np
import onnxruntime


def main():
    folder, sentence = sys.argv[1], sys.argv[2]
    with open(f"{folder}/words.json", encoding="utf-8") as file:
        ranks = json.load(file)
    ids = [1] + [ranks.get(word, -1) + 3 if word in ranks else 2 for word in sentence.lower().split()]
    ids = [rank if rank < 20000 else 2 for rank in ids][-100:]
    x = np.zeros((1, 100), "int32")
    x[0, 100 - len(ids):] = ids
    session = onnxruntime.InferenceSession(f"{folder}/imdb.onnx", providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    print(session.run(None, {given.name: x.astype("int64" if "64" in given.type else "int32")})[0].ravel()[0])


if __name__ == "__main__":
    main()
