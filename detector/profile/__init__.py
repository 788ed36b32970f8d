"""What a column holds, from its name and a sample of its values, where no rule knows the format.

:func:`~detector.profile.judge.judge_column` tells unknown tokens, plaintext passwords, password
hashes and identifiers apart; :mod:`~detector.profile.draft` writes a rule for tokens.
"""

from detector.profile.draft import drafts
from detector.profile.judge import judge_column
from detector.profile.names import names_a_credential
from detector.profile.types import ColumnProfile, Kind, TokenFormat

__all__ = ["ColumnProfile", "Kind", "TokenFormat", "drafts", "judge_column", "names_a_credential"]
