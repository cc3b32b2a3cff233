"""The printed second-factor codes are those of the published rule."""

import base64

import pytest

from deploy import codes


@pytest.mark.parametrize(("moment", "expected"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_the_codes_are_those_of_rfc_6238(moment: float, expected: str) -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert codes.code(secret=secret, moment=moment) == expected
