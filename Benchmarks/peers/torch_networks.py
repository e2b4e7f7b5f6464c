"""The measured networks as PyTorch modules, with the weights of a state_dict that rnnconv exported."""
import torch


class Sentiment(torch.nn.Module):
    """The published IMDB network."""

    def __init__(self, words=20000, dropout=0.25):
        super().__init__()
        self.embedding = torch.nn.Embedding(words, 128)
        self.dropout = torch.nn.Dropout(dropout)
        self.conv1d = torch.nn.Conv1d(128, 64, 5)
        self.pool = torch.nn.MaxPool1d(4)
        self.lstm = torch.nn.LSTM(64, 70, batch_first=True)
        self.dense = torch.nn.Linear(70, 1)

    def logits(self, ids):
        steps = self.dropout(self.embedding(ids)).transpose(1, 2)
        steps = self.pool(torch.relu(self.conv1d(steps))).transpose(1, 2)
        return self.dense(self.lstm(steps)[0][:, -1])

    def forward(self, ids):
        return torch.sigmoid(self.logits(ids))


class BidirectionalGRU(torch.nn.Module):
    def __init__(self, channels=64, units=128):
        super().__init__()
        self.bidirectional = torch.nn.GRU(channels, units, batch_first=True, bidirectional=True)

    def forward(self, steps):
        return self.bidirectional(steps)[0]


class CharacterLSTM(torch.nn.Module):
    """Logits of the next character at each step."""

    def __init__(self, characters=96, units=256):
        super().__init__()
        self.embedding = torch.nn.Embedding(characters, 64)
        torch.nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
        self.lstm = torch.nn.LSTM(64, units, num_layers=2, batch_first=True)
        self.dense = torch.nn.Linear(units, characters)

    def forward(self, ids):
        return self.dense(self.lstm(self.embedding(ids))[0])


def network(state):
    """The module whose names these are."""
    module = Sentiment() if "conv1d.weight" in state else BidirectionalGRU()
    module.load_state_dict(state)
    return module
