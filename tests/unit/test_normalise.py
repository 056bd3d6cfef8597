"""Addresses and telephone numbers: one person, one form."""

from __future__ import annotations

import hashlib
import re
import unicodedata

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from tangga.landing.normalise import SPACES, email, hashed_id, phone


@pytest.mark.parametrize(
    "raw, normal",
    [
        ("ani@example.com", "ani@example.com"),
        ("ANI@EXAMPLE.COM", "ani@example.com"),
        (SPACES + "ani@example.com" + SPACES, "ani@example.com"),
        ("a.b+c_d-e'f@example.com", "a.b+c_d-e'f@example.com"),
        ("ani@bücher.example", "ani@xn--bcher-kva.example"),
        ("ani@BÜCHER.example.com", "ani@xn--bcher-kva.example.com"),
        ("ani@bu\u0308cher.example.com", "ani@xn--bcher-kva.example.com"),
        ("jos\u00e9@example.com", "jos\u00e9@example.com"),
        ("JOSE\u0301@example.com", "jos\u00e9@example.com"),
        ("\u0130@example.com", "i\u0307@example.com"),
        ("ani@test", "ani@test"),
        ("", None),
        ("@", None),
        ("ani", None),
        ("ani@", None),
        ("ani@localhost", None),
        ("ani@shop.local", None),
        ("ani@nowhere.invalid", None),
        ("ani@@example.com", None),
        (".ani@example.com", None),
        ("ani.@example.com", None),
        ("a..i@example.com", None),
        ("ani@example..com", None),
        ("ani@-example.com", None),
        ("ani@example.com.", None),
        ("ani@[127.0.0.1]", None),
        ('"ani"@example.com', None),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
        ("a" * 255 + "@example.com", None),
        ("a@" + "b." * 126 + "com", None),
        ("ani@example.com\nbcc:x@example.com", None),
        ("mailto:ani@example.com", None),
    ],
)
def test_email(raw, normal):
    assert email(raw) == normal


PARTS = st.text("abAB0.-_+'@ éİß\u00a0", max_size=12)


NEARLY = st.tuples(PARTS, st.sampled_from(["", "@example.com", "@x"]), PARTS).map("".join)


@given(st.one_of(st.emails(), NEARLY, st.text()))
def test_fast_path_agrees_with_the_validator(raw):
    """The short way for plain addresses must say what the validator says of the whole address."""
    text = unicodedata.normalize("NFKC", raw).strip(SPACES).lower()
    try:
        parts = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        assert email(raw) is None
    else:
        assert email(raw) == f"{unicodedata.normalize('NFKC', parts.local_part.lower())}@{parts.ascii_domain.lower()}"


@given(st.one_of(st.emails(), st.text()))
def test_normal_form_is_its_own(raw):
    normal = email(raw)
    if normal is not None:
        assert email(normal) == normal
        assert email(normal.upper()) == email(normal.upper().lower())


@pytest.mark.parametrize(
    "raw, normal",
    [
        ("0812-3456-7890", "+6281234567890"),
        ("+62 812 3456 7890", "+6281234567890"),
        ("6281234567890", "+6281234567890"),
        ("+62 (0)812 3456 7890", "+6281234567890"),
        ("\u00a0０８１２３４５６７８９０", "+6281234567890"),
        ("(021) 3456789", "+62213456789"),
        ("+44 20 7946 0018", "+442079460018"),
        ("2025550123", None),
        ("12", None),
        ("0812", None),
        ("0", None),
        ("", None),
        ("phone", None),
        ("+999 123456789", None),
        ("0812-3456-7890 / 0813-4567-8901", None),
        ("1" * 300, None),
    ],
)
def test_phone(raw, normal):
    assert phone(raw, "ID") == normal


def test_phone_without_a_known_country():
    assert phone("+62 812 3456 7890", "XX") == "+6281234567890"
    assert phone("0812-3456-7890", "XX") is None


@given(st.text())
def test_phone_of_anything_is_e164_or_nothing(raw):
    normal = phone(raw, "ID")
    assert normal is None or re.fullmatch("[+][0-9]{6,17}", normal)
    assert normal is None or phone(normal, "US") == normal


def test_hashed_id_is_that_of_the_normal_form():
    assert hashed_id(" Ani@Example.com") == hashed_id("ani@example.com")
    assert hashed_id("not@an@Address") == hashed_id("not@an@address")
    assert hashed_id("ani@example.com") != hashed_id("budi@example.com")
    assert hashed_id("ani@example.com") == "email:" + hashlib.sha256(b"ani@example.com").hexdigest()
