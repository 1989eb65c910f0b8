"""What every block of settings is."""

from pydantic import BaseModel, ConfigDict


class Block(BaseModel):
    """A block of settings: no unknown field, no value that only resembles its type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
