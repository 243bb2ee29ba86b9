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


def predict(w, output):
    """Word logits (V,), by the word vectors where there is no matrix of its own."""
    kernel = w.get("word_logits/kernel", w["embedding/embeddings"].T)
    return output @ kernel + w["word_logits/bias"]


def all_places(w, features):
    return normalize(w, np.log1p(features).reshape(-1, features.shape[-1]))


def dense(w, name, x):
    return x @ w[f"{name}/kernel"] + w.get(f"{name}/bias", 0)


def word_presence(w, features):
    """Probabilities (W,) of words in one clip's features (T, P, C)."""
    values = np.log1p(features).reshape(-1, features.shape[-1])
    x = np.concatenate([values.mean(0), values.max(0)])
    x = (x - x.mean()) / np.sqrt(x.var() + 1e-3)
    x = x * w["presence_scale/gamma"] + w["presence_scale/beta"]
    return sigmoid(dense(w, "presence_logits", x))


def top_down(decoder, features, words):
    """Logits (L, V) and attentions (L, T*P) of one sentence over one clip's features (T, P, C)."""
    w = weights_of(decoder)
    values = all_places(w, features)
    keys, mean = values @ w["key/kernel"], values.mean(0)
    told = 0.0
    if decoder.options.get("presence"):
        found = word_presence(w, features)
        mean = mean + dense(w, "presence_mean", found)
        told = dense(w, "presence_output", found)
    h1, c1, h2, c2 = (
        [np.tanh(dense(w, f"first_{n}", mean)) for n in range(4)]
        if decoder.deep_output
        else np.zeros((4, decoder.units))
    )
    logits, attentions = [], []
    for word in words:
        vector = w["embedding/embeddings"][word]
        x = np.concatenate([h2, mean, vector])
        h1, c1 = lstm(w, "attention_lstm", x, h1, c1)
        attention = softmax(keys @ (h1 @ w["query/kernel"]) / np.sqrt(decoder.units))
        seen = attention @ values
        h2, c2 = lstm(w, "language_lstm", np.concatenate([seen, h1]), h2, c2)
        deep = decoder.deep_output
        output = (
            vector + dense(w, "output_said", h2) + dense(w, "output_seen", seen) + told
            if deep
            else h2
        )
        logits.append(predict(w, output))
        attentions.append(attention)
    return np.array(logits), np.array(attentions)


def show_attend_and_tell(decoder, features, words):
    """Logits (L, V) and attentions (L, T*P) of one sentence over one clip's features (T, P, C)."""
    w = weights_of(decoder)
    values = all_places(w, features)
    h, c = (np.tanh(dense(w, f"first_{name}", values.mean(0))) for name in ("hidden", "carry"))
    logits, attentions = [], []
    for word in words:
        vector = w["embedding/embeddings"][word]
        hidden = [np.tanh(dense(w, "key", value) + dense(w, "query", h)) for value in values]
        attention = softmax(np.array([dense(w, "score", x)[0] for x in hidden]))
        context = sigmoid(dense(w, "gate", h)) * sum(
            a * value for a, value in zip(attention, values, strict=True)
        )
        h, c = lstm(w, "lstm", np.concatenate([vector, context]), h, c)
        output = vector + dense(w, "output_hidden", h) + dense(w, "output_context", context)
        logits.append(predict(w, output))
        attentions.append(attention)
    return np.array(logits), np.array(attentions)


def show_and_tell(decoder, features, words):
    """Logits (L, V) of one sentence over one clip's features (T, P, C)."""
    w = weights_of(decoder)
    mean = normalize(w, np.log1p(features).mean((0, 1)))
    h, c = lstm(w, "lstm", dense(w, "picture", mean), *np.zeros((2, decoder.units)))
    logits = []
    for word in words:
        h, c = lstm(w, "lstm", w["embedding/embeddings"][word], h, c)
        logits.append(predict(w, h))
    return np.array(logits), None


def lrcn(decoder, features, words):
    """Logits (L, V) of one sentence over one clip's features (T, P, C)."""
    w = weights_of(decoder)
    mean = normalize(w, np.log1p(features).mean((0, 1)))
    h1, c1, h2, c2 = np.zeros((4, decoder.units))
    logits = []
    for word in words:
        h1, c1 = lstm(w, "word_lstm", w["embedding/embeddings"][word], h1, c1)
        h2, c2 = lstm(w, "picture_lstm", np.concatenate([h1, mean]), h2, c2)
        logits.append(predict(w, h2))
    return np.array(logits), None


def s2vt(decoder, features, words):
    """Logits (L, V) of one sentence over one clip's features (T, P, C)."""
    w = weights_of(decoder)
    frames = normalize(w, np.log1p(features).mean(1)) @ w["frame/kernel"] + w["frame/bias"]
    nothing = np.zeros(decoder.embedding_size)
    vectors = w["embedding/embeddings"]
    steps = [(frame, nothing) for frame in frames] + [(nothing, vectors[word]) for word in words]
    h1, c1, h2, c2 = np.zeros((4, decoder.units))
    logits = []
    for frame, vector in steps:
        h1, c1 = lstm(w, "frame_lstm", frame, h1, c1)
        h2, c2 = lstm(w, "word_lstm", np.concatenate([h1, vector]), h2, c2)
        logits.append(predict(w, h2))
    return np.array(logits[len(frames) :]), None
