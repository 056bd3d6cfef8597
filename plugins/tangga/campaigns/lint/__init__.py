"""The linter of campaigns: what must hold before a customer is written to.

    lint.check(settings)      every finding, for `make check`
    lint.refused(settings)    the audiences that must not be activated, and why

Nothing is asked where `tangga.yml` has no `campaigns:`; the words live in the e-mail tool then. What only a browser
can tell (`tangga.campaigns.mobile`) is not asked here, so that no browser is needed where lists are sent.
"""

from tangga.campaigns.lint.check import check, refused
from tangga.campaigns.lint.finding import Finding

__all__ = ["Finding", "check", "refused"]
