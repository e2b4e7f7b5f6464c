"""The measured networks in Keras, for the scripts beside this one."""
import keras

WORDS, LENGTH = 20000, 100


def build():
    """The published IMDB network."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            layers.Embedding(WORDS, 128),
            layers.Dropout(0.25),
            layers.Conv1D(64, 5, padding="valid", activation="relu", strides=1),
            layers.MaxPooling1D(pool_size=4),
            layers.LSTM(70),
            layers.Dense(1),
            layers.Activation("sigmoid"),
        ]
    )


def build_characters(characters=96, units=256, length=64):
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((length,), dtype="int32"),
            layers.Embedding(characters, 64),
            layers.LSTM(units, return_sequences=True),
            layers.LSTM(units, return_sequences=True),
            layers.Dense(characters, activation="softmax"),
        ]
    )
