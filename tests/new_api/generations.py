"""The two builds that the stand-in plays."""

from enum import Enum


class Generation(Enum):
    """FEB has a cookie session and an id header; AUG has bearer tokens and a refresh cookie."""

    FEB = "feb"
    AUG = "aug"
