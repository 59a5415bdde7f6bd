"""Passwords that are refused, and such as teachers make."""

import unicodedata

import pytest

from rooms.people.password_rules import Weakness, normalized, weakness

NAMES = ("teacher.le-loi", "Cô Nguyễn Thị Lan")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("short", Weakness.TOO_SHORT),
        ("elevenchars", Weakness.TOO_SHORT),
        ("x" * 201, Weakness.TOO_LONG),
        (" " * 12, Weakness.EASY),
        ("aaaaaaaaaaaaaa", Weakness.EASY),
        ("abababababab", Weakness.EASY),
        ("xyzq7xyzq7xyzq7", Weakness.EASY),
        ("password12345", Weakness.EASY),
        ("P@ssw0rd!2026", Weakness.EASY),
        ("passwordpassword", Weakness.EASY),
        ("qwertyuiop123", Weakness.EASY),
        ("1qaz2wsx3edc", Weakness.EASY),
        ("0987654321abc", Weakness.EASY),
        ("!@#$%^&*()_+", Weakness.EASY),
        ("matkhau123456", Weakness.EASY),
        ("Mật khẩu 2026", Weakness.EASY),
        ("mat-khau-12345", Weakness.EASY),
        ("Anh yêu em 123", Weakness.EASY),
        ("Đà Nẵng 2025!", Weakness.EASY),
        ("giaovien@2024", Weakness.EASY),
        ("nhipcau-nhipcau", Weakness.EASY),
        ("teacher.le-loi", Weakness.LIKE_NAME),
        ("Nguyễn Thị Lan 1990", Weakness.EASY),
        ("leloi.lan.2026", Weakness.LIKE_NAME),
        ("correct horse battery", None),
        ("mật khẩu rất dài", None),
        ("sông hồng chảy về đông", None),
        ("mot-mat-khau-dai", None),
        ("Kf7#xq!Lw9$z", None),
        ("tàu hoả số 5 tới", None),
        ("雨にも負けず風にも負けず", None),
    ],
)
def test_weakness(password: str, reason: Weakness | None) -> None:
    assert weakness(normalized(password), NAMES) == reason
    assert weakness(normalized(unicodedata.normalize("NFD", password)), NAMES) == reason
