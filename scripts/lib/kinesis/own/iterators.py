"""Iterators and tokens that expire."""
from ..client import check, refused
from .registry import story


@story("--iterator-ttl", "300")
def an_iterator_expires_after_five_minutes_and_a_new_one_continues(kinesis):
    name = kinesis.stream(1)
    number = kinesis.put(name, b"1")["SequenceNumber"]
    iterator = kinesis.iterator(name)
    kinesis.control("clock", advance=299)
    check(len(kinesis.boto.get_records(ShardIterator=iterator)["Records"]) == 1, "it is not good for 299 seconds")
    kinesis.control("clock", advance=2)
    words = refused("ExpiredIteratorException", kinesis.boto.get_records, ShardIterator=iterator)
    check("300000 milliseconds" in words, words)
    kinesis.put(name, b"2")
    check(kinesis.data(name, kind="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=number) == [b"2"], "a new one does not continue")


@story()
def all_iterators_expire_on_request(kinesis):
    name = kinesis.stream(1)
    iterator = kinesis.iterator(name)
    kinesis.control("expire-iterators")
    refused("ExpiredIteratorException", kinesis.boto.get_records, ShardIterator=iterator)
    kinesis.read(name)


@story()
def an_iterator_of_a_stream_that_was_made_anew_is_refused(kinesis):
    name = kinesis.stream(1)
    iterator, number = kinesis.iterator(name), kinesis.put(name, b"x")["SequenceNumber"]
    kinesis.boto.delete_stream(StreamName=name)
    kinesis.boto.create_stream(StreamName=name, ShardCount=1)
    refused("ResourceNotFoundException", kinesis.boto.get_records, ShardIterator=iterator)
    words = refused("InvalidArgumentException", kinesis.iterator, name, kind="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=number)
    check("did not come from this stream" in words, words)


@story()
def a_list_token_expires(kinesis):
    token = kinesis.boto.list_shards(StreamName=kinesis.stream(2), MaxResults=1)["NextToken"]
    kinesis.control("clock", advance=301)
    refused("ExpiredNextTokenException", kinesis.boto.list_shards, NextToken=token)
