"""The stand-in for credentials (Tests/Emulators/credentials.py): boto3 finds them there and signs with them."""
import contextlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

import boto3
import botocore.config
import botocore.credentials
import botocore.session
import botocore.utils

from .. import servers
from ..client import check, refused
from .registry import KEYS, story


@contextlib.contextmanager
def agent(*options):
    """Its URL."""
    script = os.path.join(os.path.dirname(servers.emulator_script), "credentials.py")
    process = subprocess.Popen([sys.executable, script, *options], stdout=subprocess.PIPE, text=True)
    server = servers.Server(process.stdout.readline().strip(), process)
    try:
        yield server.url
    finally:
        server.stop()


def ask(url, method="GET", **headers):
    """(status, text)"""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method, headers={name.replace("_", "-"): value for name, value in headers.items()})) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def tell(url, do, **words):
    urllib.request.urlopen(urllib.request.Request(url + "/_control", json.dumps({"do": do, **words}).encode())).close()


def client(kinesis, provider):
    """A Kinesis client that has its credentials from this provider alone."""
    session = botocore.session.Session()
    session.register_component("credential_provider", botocore.credentials.CredentialResolver([provider]))
    return boto3.Session(botocore_session=session, region_name="us-east-1").client(
        "kinesis", endpoint_url=kinesis.url, config=botocore.config.Config(retries={"total_max_attempts": 1}))


@story(*KEYS)
def a_machine_gets_credentials_from_its_metadata_service(kinesis):
    kinesis.control("credentials", access_key="ASIAROLE", secret_key="s", session_token="t")
    with agent("--access-key", "ASIAROLE", "--secret-key", "s", "--session-token", "t") as url:
        fetcher = botocore.utils.InstanceMetadataFetcher(timeout=2, num_attempts=1, config={"ec2_metadata_service_endpoint": url + "/"})
        client(kinesis, botocore.credentials.InstanceMetadataProvider(fetcher)).list_streams()
        check(ask(url + "/latest/meta-data/placement/region")[0] == 401, "it is read without a token")
        token = ask(url + "/latest/api/token", "PUT", X_aws_ec2_metadata_token_ttl_seconds="60")[1]
        check(ask(url + "/latest/meta-data/placement/region", X_aws_ec2_metadata_token=token) == (200, "us-east-1"), "the region")
        check(ask(url + "/latest/api/token", "PUT")[0] == 400, "a token without an end")
        check(ask(url + "/latest/meta-data/spot/instance-action", X_aws_ec2_metadata_token=token)[0] == 404, "a notice without one")
        tell(url, "spot", seconds=120)
        check(json.loads(ask(url + "/latest/meta-data/spot/instance-action", X_aws_ec2_metadata_token=token)[1])["action"] == "terminate", "no notice")
        tell(url, "expire-tokens")
        check(ask(url + "/latest/meta-data/placement/region", X_aws_ec2_metadata_token=token)[0] == 401, "an expired token")


@story(*KEYS)
def a_container_gets_credentials_from_its_agent(kinesis):
    kinesis.control("credentials", access_key="ASIAPOD", secret_key="s", session_token="t")
    with agent("--access-key", "ASIAPOD", "--secret-key", "s", "--session-token", "t", "--authorization", "pod-token") as url:
        surroundings = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url + "/v1/credentials", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "pod-token"}
        client(kinesis, botocore.credentials.ContainerProvider(environ=surroundings)).list_streams()
        check(ask(url + "/v1/credentials")[0] == 401, "credentials without authorization")
        tell(url, "rotate", access_key="ASIAOTHER", secret_key="s", session_token="t")
        refused("UnrecognizedClientException", client(kinesis, botocore.credentials.ContainerProvider(environ=surroundings)).list_streams)
