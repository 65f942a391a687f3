"""What the relay writes is what Debezium writes, byte for byte, but for what docs/message-format.md lists."""

import pytest
from suite import cases, comparison


@pytest.mark.parametrize("case", cases.all_cases(), ids=str)
def test_the_records_are_debeziums(case, run, request):
    group = run.group_of(case)
    if group is None:
        pytest.skip(f"the server has no extension {case.requires}")
    if run.against_relay and case.name in comparison.differing_cases():
        request.applymarker(pytest.mark.xfail(strict=True, reason=f"{comparison.PAGE.name} lists it"))
    assert group.name not in run.broken, run.broken[group.name]
    debezium, other = run.of(case)
    assert case.halts or debezium, "Debezium wrote nothing: a case without a record proves nothing"
    comparison.compare(debezium, other, case)


def test_every_topic_belongs_to_a_case(run):
    assert run.unclaimed() == [[], []]
