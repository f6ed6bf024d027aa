from __future__ import annotations

from experiments.page.names import placed


def test_names_that_cover_nothing_are_all_there() -> None:
    names = placed([("A", 1, 1), ("B", 5, 5), ("C", 9, 9)], (0, 10), (0, 10))
    assert [(name.text, name.align, name.baseline, name.across) for name in names] == [
        ("A", "left", "middle", 8.0),
        ("B", "left", "middle", 8.0),
        ("C", "left", "middle", 8.0),
    ]


def test_a_name_gives_way() -> None:
    names = placed([("first", 5, 5), ("second", 5.3, 5)], (0, 10), (0, 10))
    assert [name.align for name in names] == ["right", "left"]
    at_the_edge = placed([("edge", 9.9, 5)], (0, 10), (0, 10))
    assert at_the_edge[0].align == "right"


def test_where_there_is_no_room_there_is_no_name() -> None:
    crowd = [(f"name {n}", 5 + n / 50, 5) for n in range(30)]
    assert 0 < len(placed(crowd, (0, 10), (0, 10))) < 30
