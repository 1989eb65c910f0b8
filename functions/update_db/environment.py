"""UpdateDb's environment variables; CDK sets them by the same class."""

from dataclasses import dataclass

from common.settings import Flag, Percent, StagingEnvironment, Text


@dataclass(frozen=True, kw_only=True)
class UpdateDbEnvironment(StagingEnvironment):
    """Staging's database, where its users are, and whom the remap leaves out."""

    users_table: Text = "public.users"
    email_column: Text = "email"
    sub_column: Text = "cognito_sub"
    users_where: Text = ""
    require_verified_email: Flag = False
    release_mismatched: Flag = True
    min_matched_percent: Percent = 0.0
