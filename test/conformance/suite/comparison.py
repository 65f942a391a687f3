"""What may differ between Debezium's records and the relay's, and whether anything else does.

docs/message-format.md has the list between its `differences` markers; a rule here without a row there is
not applied, and a row without a rule is an error, so that the page is what the suite allows.  Rules
blank the bytes that they allow in the text as it was written: nothing is parsed and printed again.
"""

import re
from collections import defaultdict
from dataclasses import replace

from harness.processes import ROOT

PAGE = ROOT / "docs/message-format.md"
BEGIN, END = "<!-- differences -->", "<!-- /differences -->"
CONTEXT = 70

_UUID = re.compile(rb"\"?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\"?")


def _in_value(pattern, replacement):
    compiled = re.compile(pattern, re.DOTALL)

    def apply(record):
        return record if record.value is None else replace(record, value=compiled.sub(replacement, record.value))
    return apply


def _run_id(record):
    return replace(record, headers=tuple(
        (name, b"<run>") if name == "__debezium.context.runId" and _UUID.search(value or b"") else (name, value)
        for name, value in record.headers))


def _record_time(record):
    return replace(record, timestamp_ms=0)


_READ_AT = ((rb'("ts_[mun]s"):\d+', rb"\1:0"), (rb'("sequence"):"\[[^]]*\]"', rb'\1:""'))
_READ_IN = ((rb'("txId"):\d+', rb"\1:0"), (rb'("lsn"):\d+', rb"\1:0"))


def _position(markers, blanks):
    marked = re.compile(rb'"snapshot":"(%s)"' % markers)

    def apply(record):
        if record.value is None or not marked.search(record.value):
            return record
        value = record.value
        for pattern, blank in blanks:
            value = re.sub(pattern, blank, value)
        return replace(record, value=value)
    return apply


# By the id of the row: what each does to a record of either side.
RULES = {
    "processing-time": _in_value(rb'("op":"[crudt]"),"ts_ms":\d+,"ts_us":\d+,"ts_ns":\d+(\}\}?)$', rb"\1\2"),
    "message-time": _in_value(rb'("op":"m","ts_ms":)\d+', rb"\1 0"),
    "heartbeat-time": _in_value(rb'^((?:\{"schema":.*"io\.debezium\.connector\.common\.Heartbeat","version":1\},"payload":)?\{"ts_ms":)\d+(\}\}?)$', rb"\1 0\2"),
    "heartbeat-count": lambda record: record,
    "message-collection": _in_value(
        rb'("data_collection":")(?:io\.debezium\.connector\.postgresql\.LogicalDecodingMessageMonitor\$LogicalDecodingMessageId@[0-9a-f]+|LOGICAL_DECODING_MESSAGE)(")',
        rb"\1LOGICAL_DECODING_MESSAGE\2"),
    "run-id": _run_id,
    "record-time": _record_time,
    "snapshot-position": _position(b"first|first_in_data_collection|true|last_in_data_collection|last", (*_READ_AT, *_READ_IN)),
    "incremental-position": _position(b"incremental", _READ_AT),
}


def differing_cases():
    """The cases that the page's other table lists: each has to fail."""
    table = PAGE.read_text().split("<!-- differing cases -->")[1].split("<!-- /differing cases -->")[0]
    firsts = re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE)
    return {name for first in firsts for name in re.findall(r"`(\w+)`", first)}


def allowed(page=None):
    """The ids of the page's table."""
    text = PAGE.read_text() if page is None else page
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise AssertionError(f"{PAGE.name} has to have one table of differences, between {BEGIN} and {END}")
    rows = re.findall(r"^\| `([a-z-]+)` \|[^|]+\|[^|]+\|$", text.split(BEGIN)[1].split(END)[0], re.MULTILINE)
    unknown = [row for row in rows if row not in RULES]
    if unknown:
        raise AssertionError(f"{PAGE.name} allows {', '.join(unknown)}, for which suite/comparison.py has no rule")
    return rows


def _applies(rule, case):
    if rule == "record-time":  # where a column is the record's time, it is compared
        return "transforms.outbox.table.field.event.timestamp" not in case.options
    return True


def normalised(by_topic, case, rules):
    """{(topic, partition): [record]} without what `rules` allow to differ."""
    result = defaultdict(list)
    for topic, records in by_topic.items():
        for record in records:
            for rule in rules:
                if _applies(rule, case):
                    record = RULES[rule](record)
            there = result[topic, record.partition]
            if "heartbeat-count" in rules and b'"serverName"' in (record.key or b"") and there and there[-1] == record:
                continue
            there.append(record)
    return result


def _first_difference(one, other):
    if one is None or other is None:
        return f"    Debezium: {shown(one)}\n    the other: {shown(other)}"
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    start = max(0, at - CONTEXT)
    return (f"    at byte {at}\n    Debezium: {shown(one[start:at + CONTEXT])}\n    the other: {shown(other[start:at + CONTEXT])}")


def shown(data):
    return "null" if data is None else data.decode(errors="backslashreplace")


def differences(debezium, other, case, rules=None):
    """What differs, a text each; none if the two are equal."""
    rules = allowed() if rules is None else rules
    one, two = normalised(debezium, case, rules), normalised(other, case, rules)
    found = []
    for where in sorted(one.keys() | two.keys()):
        a, b = one.get(where, []), two.get(where, [])
        name = f"{where[0]}/{where[1]}"
        for index, (left, right) in enumerate(zip(a, b, strict=False)):
            for part in ("key", "value"):
                if getattr(left, part) != getattr(right, part):
                    found.append(f"{name} record {index}: the {part} differs\n{_first_difference(getattr(left, part), getattr(right, part))}")
            if left.headers != right.headers:
                found.append(f"{name} record {index}: the headers differ\n    Debezium: {left.headers}\n    the other: {right.headers}")
            if (left.timestamp_ms, left.create_time) != (right.timestamp_ms, right.create_time):
                found.append(f"{name} record {index}: the timestamp is {left.timestamp_ms} of Debezium and {right.timestamp_ms} of the other")
        if len(a) != len(b):
            more, who = (a, "Debezium") if len(a) > len(b) else (b, "the other")
            extra = more[min(len(a), len(b))]
            found.append(f"{name}: Debezium has {len(a)} records and the other {len(b)}; the first that only {who} has:\n"
                         f"    key {shown(extra.key)[:300]}\n    value {shown(extra.value)[-600:]}")
    return found


def compare(debezium, other, case):
    found = differences(debezium, other, case)
    assert not found, f"{len(found)} differences\n" + "\n".join(found[:8])
