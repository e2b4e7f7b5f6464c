"""Opens a whole Keras model and predicts one example, as a program that starts cold would.

    python keras_open_and_run.py MODEL.h5
"""
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np

model = keras.models.load_model(sys.argv[1], compile=False)
print(model.predict(np.ones((1, 100), dtype="int32"), verbose=0))
