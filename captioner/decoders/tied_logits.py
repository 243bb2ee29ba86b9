"""Word logits from the matrix that also embeds the words."""

from typing import Any

import keras
from keras import ops


class TiedLogits(keras.layers.Layer):
    """The product of an output with each word vector, and a bias for each word.

    One matrix instead of two: fewer weights, and each word that is read also trains its being said.

    Args:
        embedding: The layer that embeds the words, (V, E).
        kwargs: Those of a Keras layer.

    Raises:
        ValueError: In `build`, if outputs are not as long as word vectors.

    Source: Press and Wolf 2017, https://arxiv.org/abs/1608.05859.

    Example:
        >>> import numpy as np
        >>> embedding = keras.layers.Embedding(10, 8)
        >>> embedding.build()
        >>> TiedLogits(embedding)(np.ones((2, 5, 8), "float32")).shape
        TensorShape([2, 5, 10])
    """

    def __init__(self, embedding: keras.layers.Embedding, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.embedding = embedding

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the bias, for outputs of `input_shape[-1]` numbers."""
        if input_shape[-1] != self.embedding.output_dim:
            raise ValueError(
                f"tie_embeddings needs units equal to embedding_size, "
                f"not {input_shape[-1]} and {self.embedding.output_dim}"
            )
        self.bias = self.add_weight((self.embedding.input_dim,), "zeros", name="bias")
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Turn outputs (..., E) into logits (..., V)."""
        return ops.matmul(inputs, ops.transpose(self.embedding.embeddings)) + self.bias
