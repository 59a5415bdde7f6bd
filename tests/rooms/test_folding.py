import pytest

from rooms.folding import folded


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Lê Lợi", "le loi"),
        ("ĐỐNG  Đa", "dong da"),
        (" Nguyễn\tViết Xuân ", "nguyen viet xuan"),
        ("学校 4A", "学校 4a"),
        ("", ""),
    ],
)
def test_names_are_found_as_people_type_them(text: str, found: str) -> None:
    assert folded(text) == found
