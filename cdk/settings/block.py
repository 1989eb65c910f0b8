"""The base class of all blocks of settings."""

from pydantic import BaseModel, ConfigDict


class Block(BaseModel):
    """A block of settings, without unknown fields and without conversion between types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
