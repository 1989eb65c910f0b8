"""One piece of a division, a part or a check, with sessions of its own."""

from common.postgres.connection.address import DatabaseAddress
from db_sync.parts.board import Snapshots
from db_sync.parts.checks import do_check
from db_sync.parts.part import Division, Part, Piece
from db_sync.parts.part_sync import sync_part
from db_sync.parts.result import PieceResult
from db_sync.run import SyncOptions, sessions


def do_piece(  # noqa: PLR0913, PLR0917 - what, of what, and where
    source_address: DatabaseAddress,
    target_address: DatabaseAddress,
    options: SyncOptions,
    division: Division,
    piece: Piece,
    board: Snapshots,
) -> PieceResult:
    """Do a part or a check.

    Raises:
        StagingSyncError: one of `common.errors`; the part is as it was.
    """
    with sessions(source_address, target_address, options) as run:
        if isinstance(piece, Part):
            return sync_part(run, division, piece, board)
        return do_check(run, piece, board)
