"""UpdateDb's environment variables; CDK sets them by the same class."""

from dataclasses import dataclass

from common.settings import Flag, OptionalText, Percent, StagingEnvironment, Text


@dataclass(frozen=True, kw_only=True)
class UpdateDbEnvironment(StagingEnvironment):
    """Staging's database, where its users are, and whom the remap leaves out.

    `email_mask` is the rule by which the sync masks the email column, as JSON; None if it does not
    mask it. `mask_key_secret_arn` is the secret with the key. `follow` is the sync's rule of that
    name, as JSON: the columns that follow the sub column.
    """

    users_table: Text = "public.users"
    email_column: Text = "email"
    sub_column: Text = "cognito_sub"
    users_where: Text = ""
    require_verified_email: Flag = False
    release_mismatched: Flag = True
    min_matched_percent: Percent = 0.0
    email_mask: OptionalText = None
    mask_key_secret_arn: OptionalText = None
    follow: Text = "{}"
