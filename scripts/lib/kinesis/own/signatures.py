"""Signatures, tokens, permissions."""
import json
import urllib.error
import urllib.request

from ..client import Kinesis, check, refused
from .registry import KEYS, story


@story(*KEYS)
def signatures_are_checked(kinesis):
    kinesis.boto.list_streams()
    words = refused("InvalidSignatureException", Kinesis(kinesis.url, secret_key="wrong").boto.list_streams)
    check("does not match the signature you provided" in words and "Canonical String" in words, words)
    refused("UnrecognizedClientException", Kinesis(kinesis.url, access_key="AKIDOTHER").boto.list_streams)
    refused("UnrecognizedClientException", Kinesis(kinesis.url, session_token="not one of ours").boto.list_streams)
    words = refused("InvalidSignatureException", Kinesis(kinesis.url, region="eu-west-1").boto.list_streams)
    check("valid region" in words, words)


@story(*KEYS)
def a_clock_that_is_off_is_told_with_both_times(kinesis):
    kinesis.control("skew", seconds=600)
    words = refused("InvalidSignatureException", kinesis.boto.list_streams)
    check(words.startswith("Signature expired: ") and "is now earlier than" in words and words.endswith(" - 5 min.)"), words)
    kinesis.control("skew", seconds=-600)
    words = refused("InvalidSignatureException", kinesis.boto.list_streams)
    check(words.startswith("Signature not yet current: ") and "is still later than" in words and words.endswith(" + 5 min.)"), words)
    kinesis.control("skew", seconds=200)
    kinesis.boto.list_streams()


@story(*KEYS)
def session_tokens_are_asked_for_and_expire(kinesis):
    kinesis.control("credentials", access_key="ASIATEMPORARY", secret_key="s", session_token="token")
    refused("UnrecognizedClientException", Kinesis(kinesis.url, access_key="ASIATEMPORARY", secret_key="s").boto.list_streams)
    temporary = Kinesis(kinesis.url, access_key="ASIATEMPORARY", secret_key="s", session_token="token")
    temporary.boto.list_streams()
    kinesis.control("credentials", access_key="ASIATEMPORARY", secret_key="s", session_token="token", expired=True)
    words = refused("ExpiredTokenException", temporary.boto.list_streams)
    check(words == "The security token included in the request is expired", words)


@story(*KEYS)
def a_missing_or_half_signature_is_refused(kinesis):
    def answer(authorization):
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202.ListStreams"}
        request = urllib.request.Request(kinesis.url, b"{}", {**headers, **({"Authorization": authorization} if authorization else {})})
        try:
            urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)["__type"], error.headers["x-amzn-RequestId"], error.headers["x-amzn-ErrorType"]
    check(answer(None)[:2] == (400, "MissingAuthenticationTokenException"), answer(None))
    for half in ("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/kinesis/aws4_request", "Basic abc"):
        found = answer(half)
        check(found[1] == found[3] == "IncompleteSignatureException" and found[2], found)


@story(*KEYS)
def denied_actions_are_named(kinesis):
    name = kinesis.stream(1)
    kinesis.control("deny", operations=["PutRecords"])
    words = refused("AccessDeniedException", kinesis.boto.put_records, StreamName=name, Records=[{"Data": b"x", "PartitionKey": "k"}])
    check("is not authorized to perform: kinesis:PutRecords" in words and name in words, words)
    kinesis.put(name, b"x")
