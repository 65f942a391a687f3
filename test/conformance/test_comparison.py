"""The comparison itself: it finds whatever is not in the page's table, and the table is what it allows."""

from dataclasses import replace

import pytest
from suite import cases, comparison
from suite.records import Record

CASE = cases.Case("doctored", "", "", ("",))
VALUE = (b'{"before":null,"after":{"id":1},"source":{"version":"3.7.0.Final","connector":"postgresql","name":"app","ts_ms":1,'
         b'"snapshot":"false","db":"app","sequence":"[null,\\"7\\"]","ts_us":1,"ts_ns":1,"schema":"s","table":"t","txId":1,"lsn":7,'
         b'"xmin":null,"origin":null,"origin_lsn":null},"transaction":null,"op":"c","ts_ms":%d,"ts_us":2000,"ts_ns":2000000}')
HEADERS = (("__debezium.context.taskId", b"0"), ("__debezium.context.runId", b"01a21102-571d-76b9-a72f-20d679544d93"))
RECORD = Record("app.s.t", 0, b'{"id":1}', VALUE % 2, HEADERS, 1000, True)
SNAPSHOT = replace(RECORD, value=(VALUE % 2).replace(b'"snapshot":"false"', b'"snapshot":"last"').replace(b'"op":"c"', b'"op":"r"'))
HEARTBEAT = Record("__debezium-heartbeat.app", 0, b'{"serverName":"app"}', b'{"ts_ms":1}', (), 1000, True)


def differences(one, other):
    return comparison.differences({"t": one}, {"t": other}, CASE)


@pytest.mark.parametrize("other", [
    replace(RECORD, value=VALUE % 3),
    replace(RECORD, timestamp_ms=1001),
    replace(RECORD, headers=(HEADERS[0], ("__debezium.context.runId", b"01a21102-571d-76b9-a72f-20d679544d94"))),
], ids=["processing time", "record time", "run id"])
def test_what_the_page_lists_may_differ(other):
    assert differences([RECORD], [other]) == []


@pytest.mark.parametrize("other", [
    replace(RECORD, key=b'{"id": 1}'),
    replace(RECORD, key=None),
    replace(RECORD, value=None),
    replace(RECORD, value=RECORD.value.replace(b'"id":1', b'"id":2')),
    replace(RECORD, value=RECORD.value.replace(b'"xmin":null,', b"")),
    replace(RECORD, value=RECORD.value.replace(b'"lsn":7', b'"lsn":8')),
    replace(RECORD, value=RECORD.value.replace(b'"name":"app","ts_ms":1', b'"name":"app","ts_ms":2')),
    replace(RECORD, value=RECORD.value + b"\n"),
    replace(RECORD, value=RECORD.value.replace(b'"ts_us":2000,"ts_ns":2000000', b'"ts_ns":2000000,"ts_us":2000')),
    replace(RECORD, headers=HEADERS[::-1]),
    replace(RECORD, headers=HEADERS[:1]),
    replace(RECORD, headers=(HEADERS[0], ("__debezium.context.runId", b"no uuid"))),
    replace(RECORD, partition=1),
    replace(RECORD, create_time=False),
], ids=lambda r: None)
def test_a_doctored_record_is_found(other):
    assert differences([RECORD], [other])


def test_a_missing_a_repeated_and_an_exchanged_record_are_found():
    second = replace(RECORD, value=RECORD.value.replace(b'"id":1', b'"id":2'))
    assert differences([RECORD, second], [RECORD])
    assert differences([RECORD], [RECORD, RECORD])
    assert differences([RECORD, second], [second, RECORD])


def test_only_snapshot_rows_may_have_another_position():
    moved = replace(SNAPSHOT, value=SNAPSHOT.value.replace(b'"lsn":7', b'"lsn":8').replace(b'\\"7\\"', b'\\"8\\"'))
    assert differences([SNAPSHOT], [moved]) == []
    assert differences([SNAPSHOT], [replace(moved, value=moved.value.replace(b'"id":1', b'"id":2'))])
    assert differences([SNAPSHOT], [replace(moved, value=moved.value.replace(b'"last"', b'"true"'))])


def test_rows_of_an_incremental_snapshot_may_have_come_at_another_place_but_have_no_lsn():
    row = replace(SNAPSHOT, value=SNAPSHOT.value.replace(b'"last"', b'"incremental"').replace(b'"txId":1,"lsn":7', b'"txId":null,"lsn":null'))
    moved = replace(row, value=row.value.replace(b'"name":"app","ts_ms":1', b'"name":"app","ts_ms":2').replace(b'\\"7\\"', b'\\"8\\"'))
    assert moved != row
    assert differences([row], [moved]) == []
    assert differences([row], [replace(row, value=row.value.replace(b'"lsn":null', b'"lsn":7'))])
    assert differences([row], [replace(row, value=row.value.replace(b'"id":1', b'"id":2'))])


def test_heartbeats_may_be_more_or_fewer_but_not_other_ones():
    later = replace(HEARTBEAT, value=b'{"ts_ms":2}')
    assert differences([HEARTBEAT, later], [HEARTBEAT]) == []
    assert differences([HEARTBEAT], [])
    assert differences([HEARTBEAT], [replace(HEARTBEAT, partition=1)])
    assert differences([HEARTBEAT], [replace(HEARTBEAT, key=b'{"serverName":"other"}')])


def test_what_the_page_does_not_list_is_not_allowed():
    page = comparison.PAGE.read_text().replace("| `run-id` |", "| run-id |")
    rules = comparison.allowed(page)
    other = replace(RECORD, headers=(HEADERS[0], ("__debezium.context.runId", b"01a21102-571d-76b9-a72f-20d679544d94")))
    assert comparison.differences({"t": [RECORD]}, {"t": [other]}, CASE, rules)
    with pytest.raises(AssertionError, match="no rule"):
        comparison.allowed(page.replace("| `record-time` |", "| `anything` |"))
