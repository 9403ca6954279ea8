"""Shard iterators and GetRecords."""
import datetime
import time

from ..client import check, next_second, refused
from .registry import INVALID, case


@case
def the_five_iterator_types_begin_where_they_say(kinesis):
    name = kinesis.stream(1)
    put = [kinesis.put(name, data)["SequenceNumber"] for data in (b"1", b"2")]
    between = next_second()
    put.append(kinesis.put(name, b"3")["SequenceNumber"])
    latest = kinesis.iterator(name, kind="LATEST")
    check(kinesis.data(name) == [b"1", b"2", b"3"], "TRIM_HORIZON")
    check(kinesis.data(name, kind="AT_SEQUENCE_NUMBER", StartingSequenceNumber=put[1]) == [b"2", b"3"], "AT_SEQUENCE_NUMBER")
    check(kinesis.data(name, kind="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=put[1]) == [b"3"], "AFTER_SEQUENCE_NUMBER")
    check(kinesis.data(name, kind="AT_TIMESTAMP", Timestamp=between) == [b"3"], "AT_TIMESTAMP")
    kinesis.put(name, b"4")
    check([record["Data"] for record in kinesis.boto.get_records(ShardIterator=latest)["Records"]] == [b"4"], "LATEST")


@case
def a_read_has_at_most_as_many_records_as_asked(kinesis):
    name = kinesis.stream(1)
    kinesis.boto.put_records(StreamName=name, Records=[{"Data": str(index).encode(), "PartitionKey": "k"} for index in range(10)])
    first = kinesis.boto.get_records(ShardIterator=kinesis.iterator(name), Limit=4)
    second = kinesis.boto.get_records(ShardIterator=first["NextShardIterator"], Limit=10_000)
    check([len(first["Records"]), len(second["Records"])] == [4, 6], [len(first["Records"]), len(second["Records"])])
    check(second["MillisBehindLatest"] == 0, second["MillisBehindLatest"])


@case
def a_read_is_asked_for_at_most_10000_records(kinesis):
    refused(INVALID, kinesis.boto.get_records, ShardIterator=kinesis.iterator(kinesis.stream(1)), Limit=10_001)


@case
def an_iterator_may_be_used_again(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"x")
    iterator = kinesis.iterator(name)
    for _ in range(2):
        check(len(kinesis.boto.get_records(ShardIterator=iterator)["Records"]) == 1, "it gives other records the second time")


@case
def an_empty_shard_has_no_records_and_a_next_iterator(kinesis):
    answer = kinesis.read(kinesis.stream(1))
    check(answer["Records"] == [] and answer["NextShardIterator"] and answer["MillisBehindLatest"] == 0, answer)


@case
def a_reader_is_told_how_far_it_is_behind(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"1")
    time.sleep(1.2)
    kinesis.put(name, b"2")
    answer = kinesis.boto.get_records(ShardIterator=kinesis.iterator(name), Limit=1)
    check(answer["MillisBehindLatest"] >= 1000, f"{answer['MillisBehindLatest']} ms instead of a second")


@case
def how_far_behind_is_measured_from_now(kinesis):
    name = kinesis.stream(1)
    kinesis.boto.put_records(StreamName=name, Records=[{"Data": b"x", "PartitionKey": "k"}] * 2)
    time.sleep(0.2)
    answer = kinesis.boto.get_records(ShardIterator=kinesis.iterator(name), Limit=1)
    check(answer["MillisBehindLatest"] >= 200, "less than the time that has passed")


@case
def a_read_has_at_most_ten_megabytes(kinesis):
    name = kinesis.stream(1)
    for _ in range(12):
        kinesis.put(name, b"x" * 1_000_000)
    answer = kinesis.read(name)
    check(8 <= len(answer["Records"]) <= 10, f"{len(answer['Records'])} MB")
    rest = kinesis.boto.get_records(ShardIterator=answer["NextShardIterator"])["Records"]
    check(len(answer["Records"]) + len(rest) == 12, "the rest is not in the next read")


@case
def a_wrong_iterator_is_refused(kinesis):
    refused("InvalidArgumentException", kinesis.boto.get_records, ShardIterator="bm9uc2Vuc2U=")


@case
def a_wrong_shard_is_refused(kinesis):
    refused("ResourceNotFoundException", kinesis.iterator, kinesis.stream(1), 7)


@case
def a_sequence_number_must_be_given_for_the_types_that_need_it(kinesis):
    refused(INVALID, kinesis.iterator, kinesis.stream(1), kind="AFTER_SEQUENCE_NUMBER")


@case
def a_sequence_number_must_not_be_given_for_the_others(kinesis):
    name = kinesis.stream(1)
    refused(INVALID, kinesis.iterator, name, kind="LATEST", StartingSequenceNumber=kinesis.put(name, b"x")["SequenceNumber"])


@case
def another_shards_sequence_number_is_refused(kinesis):
    name = kinesis.stream(2)
    number = kinesis.put(name, b"x", ExplicitHashKey="0")["SequenceNumber"]
    refused("InvalidArgumentException", kinesis.iterator, name, 1, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=number)


@case
def a_timestamp_must_be_given_for_its_type(kinesis):
    refused(INVALID, kinesis.iterator, kinesis.stream(1), kind="AT_TIMESTAMP")


@case
def a_timestamp_must_not_lie_ahead(kinesis):
    ahead = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    refused(INVALID, kinesis.iterator, kinesis.stream(1), kind="AT_TIMESTAMP", Timestamp=ahead)


@case
def a_shard_may_be_read_from_its_starting_sequence_number(kinesis):
    name = kinesis.stream(1)
    kinesis.put(name, b"x")
    number = kinesis.shards(name)[0]["SequenceNumberRange"]["StartingSequenceNumber"]
    check(kinesis.data(name, kind="AT_SEQUENCE_NUMBER", StartingSequenceNumber=number) == [b"x"], "its record is not read")
