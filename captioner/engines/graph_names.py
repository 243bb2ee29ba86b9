"""How the inputs of a graph that are weights are called."""

# TensorFlow takes no slashes in the names of inputs.
_SLASH = "__"


def input_of_weight(weight: str) -> str:
    """Return the name of the input that takes a weight.

    Example:
        >>> input_of_weight("encoder/block1_conv1/kernel")
        'encoder__block1_conv1__kernel'
    """
    return weight.replace("/", _SLASH)


def weight_of_input(name: str) -> str | None:
    """Return the weight that an input takes, or None if it takes something else.

    Example:
        >>> weight_of_input("encoder__block1_conv1__kernel"), weight_of_input("frames")
        ('encoder/block1_conv1/kernel', None)
    """
    return name.replace(_SLASH, "/") if _SLASH in name else None
