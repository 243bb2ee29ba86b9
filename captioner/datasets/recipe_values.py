"""Types of the values in a recipe, which pydantic checks."""

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, Strict

# YAML reads 1e-3 as a string.
Number = Annotated[float, Strict(), BeforeValidator(lambda v: float(v) if type(v) is str else v)]
Positive = Annotated[Number, Field(gt=0)]
NotNegative = Annotated[Number, Field(ge=0)]
Share = Annotated[Number, Field(ge=0, le=1)]
PartialShare = Annotated[Number, Field(ge=0, lt=1)]
Integer = Annotated[int, Strict()]
Count = Annotated[Integer, Field(ge=1)]
Whole = Annotated[Integer, Field(ge=0)]
Flag = Annotated[bool, Strict()]

KNOWN_KEYS_ONLY = ConfigDict(extra="forbid")
