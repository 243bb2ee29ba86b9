"""The decoders' equations written once more, in NumPy float64, from the papers."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def lstm(w, name, x, h, c):
    """Gates in Keras' order: input, forget, candidate, output."""
    z = x @ w[f"{name}/kernel"] + h @ w[f"{name}/recurrent_kernel"] + w[f"{name}/bias"]
    i, f, g, o = np.split(z, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def normalize(w, x):
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(var + 1e-3) * w["normalization/gamma"] + w["normalization/beta"]


def weights_of(decoder):
    return {
        "/".join(v.path.split("/")[-2:]): np.asarray(v.value).astype(np.float64)
        for v in decoder.weights
    }


def top_down(decoder, features, words):
    """Logits (L, V) and attentions (L, P) of one sentence over one picture's features (P, C)."""
    w = weights_of(decoder)
    values = normalize(w, np.log1p(features))
    keys, mean = values @ w["key/kernel"], values.mean(0)
    h1, c1, h2, c2 = np.zeros((4, decoder.units))
    logits, attentions = [], []
    for word in words:
        x = np.concatenate([h2, mean, w["embedding/embeddings"][word]])
        h1, c1 = lstm(w, "attention_lstm", x, h1, c1)
        attention = softmax(keys @ (h1 @ w["query/kernel"]) / np.sqrt(decoder.units))
        h2, c2 = lstm(w, "language_lstm", np.concatenate([attention @ values, h1]), h2, c2)
        logits.append(h2 @ w["word_logits/kernel"] + w["word_logits/bias"])
        attentions.append(attention)
    return np.array(logits), np.array(attentions)


def show_and_tell(decoder, features, words):
    """Logits (L, V) of one sentence over one picture's features (P, C)."""
    w = weights_of(decoder)
    mean = normalize(w, np.log1p(features).mean(0))
    h, c = np.zeros((2, decoder.units))
    h, c = lstm(w, "lstm", mean @ w["picture/kernel"] + w["picture/bias"], h, c)
    logits = []
    for word in words:
        h, c = lstm(w, "lstm", w["embedding/embeddings"][word], h, c)
        logits.append(h @ w["word_logits/kernel"] + w["word_logits/bias"])
    return np.array(logits), None
